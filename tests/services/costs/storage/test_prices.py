"""The prices of this release: complete, dated, sourced, loaded once."""

from datetime import date
from decimal import Decimal

import pytest

from services.costs.storage import prices
from shared.db.engine import Database, create_engine
from shared.messages.context import Context
from tests.fixtures.servers import DatabaseFactory

pytestmark = pytest.mark.anyio

CONTENT = (prices.FILES / "aws.csv.gz").read_bytes()

# Copied from the sources named in services/costs/storage/prices/README.md.
GOLDEN = [
    ("us-east-1", "t3.micro", "hour", "0.0104", date(2026, 7, 1)),
    ("us-west-2", "t3.micro", "hour", "0.0104", date(2024, 8, 1)),
    ("us-east-1", "m5.large", "hour", "0.096", date(2026, 7, 1)),
    ("af-south-1", "c5.12xlarge", "hour", "2.736", date(2024, 8, 1)),
    ("mx-central-1", "t3.micro", "hour", "0.0109", date(2025, 3, 1)),
    ("us-east-1", "ebs:gp3", "gib_month", "0.08", date(2024, 9, 1)),
    ("eu-central-1", "ebs:gp3", "gib_month", "0.0952", date(2024, 9, 1)),
    ("us-west-2", "ebs:snapshot", "gib_month", "0.05", date(2024, 9, 1)),
]


@pytest.mark.parametrize(("region", "item", "unit", "usd", "valid_from"), GOLDEN)
def test_published_prices_are_in_the_file(region: str, item: str, unit: str, usd: str, valid_from: date) -> None:
    (row,) = [row for row in prices.read_prices(CONTENT, "aws") if (row["region"], row["item"]) == (region, item)]
    assert (row["unit"], row["usd"], row["valid_from"]) == (unit, Decimal(usd), valid_from)


def test_every_price_is_above_zero_and_names_its_source() -> None:
    rows = prices.read_prices(CONTENT, "aws")
    assert len(rows) == 15_189
    assert all(row["usd"] > 0 and row["source"] for row in rows)
    assert len(CONTENT) < 300_000


async def test_a_file_is_loaded_once_and_its_prices_are_found(migrated_database: DatabaseFactory) -> None:
    database = Database(create_engine(migrated_database("costs").app_url, pool_size=1), "costs")
    async with database.work(Context.background()) as work:
        assert await prices.current_hash(work) is None
        assert await prices.load(work, CONTENT)
        assert not await prices.load(work, CONTENT)
        wanted = [("us-east-1", "t3.micro"), ("us-east-1", "x9.none")]
        found = await prices.prices_of(work, "aws", wanted)
        assert [(price.usd, price.source) for price in found[wanted[0]]] == [
            (Decimal("0.0104"), "karpenter-provider-aws")
        ]
        assert wanted[1] not in found
        assert await prices.span(work) == (
            date(2024, 8, 1),
            date(2026, 7, 1),
            ["apache-libcloud", "coroot/cloud-pricing", "focus-sample", "karpenter-provider-aws"],
        )
    await database.close()

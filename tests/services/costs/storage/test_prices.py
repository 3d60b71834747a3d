"""The prices of this release: complete, dated, sourced, loaded once."""

import gzip
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import moto
import pytest

from services.costs.storage import prices
from shared.db.engine import Database, create_engine
from shared.messages.context import Context
from tests.fixtures.servers import DatabaseFactory

pytestmark = pytest.mark.anyio

OFFERINGS = Path(moto.__file__).parent / "ec2/resources/instance_type_offerings/region"
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
    ("us-west-2", "m8i.large", "hour", "0.10584", date(2026, 7, 1)),
    ("us-west-2", "ebs:snapshot", "gib_month", "0.05", date(2024, 9, 1)),
]


@pytest.mark.parametrize(("region", "item", "unit", "usd", "valid_from"), GOLDEN)
def test_published_prices_are_in_the_file(region: str, item: str, unit: str, usd: str, valid_from: date) -> None:
    (row,) = [row for row in prices.read_prices(CONTENT, "aws") if (row["region"], row["item"]) == (region, item)]
    assert (row["unit"], row["usd"], row["valid_from"]) == (unit, Decimal(usd), valid_from)


def test_every_price_is_above_zero_and_names_its_source() -> None:
    rows = prices.read_prices(CONTENT, "aws")
    assert len({(row["region"], row["item"], row["valid_from"]) for row in rows}) == len(rows) == 16_030
    assert all(row["usd"] > 0 and row["source"] for row in rows)


def test_the_readme_says_how_many_of_the_types_of_each_region_have_a_price() -> None:
    readme = (prices.FILES / "README.md").read_text()
    told = dict(re.findall(r"^\| ([a-z0-9-]+) \| (\d+ \| \d+) \|$", readme, re.MULTILINE))
    priced = {(row["region"], row["item"]) for row in prices.read_prices(CONTENT, "aws")}
    found = {}
    for file in OFFERINGS.iterdir():
        region = file.name.partition(".")[0]
        offered = {(region, each["InstanceType"]) for each in json.loads(gzip.decompress(file.read_bytes()))}
        found[region] = f"{len(offered)} | {len(offered & priced)}"
    assert told == found


def test_what_is_derived_costs_what_it_costs_in_us_east_1() -> None:
    rows = {(row["region"], row["item"]): row for row in prices.read_prices(CONTENT, "aws")}
    derived = [row for row in rows.values() if row["source"].startswith("derived")]
    assert {row["region"] for row in derived} == {"us-east-2", "us-west-2"}
    for row in derived:
        assert row["usd"] == rows["us-east-1", row["item"]]["usd"]
        assert "metal" not in row["item"]


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
            [
                "apache-libcloud",
                "coroot/cloud-pricing",
                "derived: as us-east-1",
                "focus-sample",
                "karpenter-provider-aws",
            ],
        )
    await database.close()

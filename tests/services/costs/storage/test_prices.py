"""The prices of a region are taken into the table once, when they are needed, and again when the list is another."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from services.costs.storage import prices
from services.costs.storage.tables import price, price_list
from shared.db.engine import Database, create_engine
from shared.messages.context import Context
from tests.fixtures.servers import DatabaseFactory

pytestmark = pytest.mark.anyio


async def test_the_prices_of_a_region_are_kept_once_and_found(migrated_database: DatabaseFactory) -> None:
    database = Database(create_engine(migrated_database("costs").app_url, pool_size=1), "costs")
    places = [("aws", "us-east-1"), ("linode", "us-east"), ("aws", "mars-1"), ("mars", "us-east-1")]
    async with database.work(Context.background()) as work:
        assert await prices.keep(work, places) == 2
        assert await prices.keep(work, places) == 0
        assert await prices.keep(work, []) == 0
        wanted = [("us-east-1", "t3.micro"), ("us-east-1", "x9.none"), ("us-west-2", "t3.micro")]
        found = await prices.prices_of(work, "aws", wanted)
        assert [(each.usd, each.source) for each in found[wanted[0]]] == [(Decimal("0.0104"), "karpenter-provider-aws")]
        assert set(found) == {wanted[0]}
        assert await prices.span(work, {"linode"}) == (
            date(2023, 5, 1), date(2024, 12, 1), ["api.linode.com/v4/linode/types", "linode/docs", "linode/manager"]
        )  # fmt: skip
        assert await prices.span(work, {"vultr"}) == await prices.span(work, set()) == (None, None, [])
    await database.close()


async def test_another_list_is_taken_again_and_older_prices_stay(migrated_database: DatabaseFactory) -> None:
    database = Database(create_engine(migrated_database("costs").app_url, pool_size=1), "costs")
    async with database.work(Context.background()) as work:
        await prices.keep(work, [("linode", "us-east")])
        rows = (await work.execute(select(func.count()).select_from(price))).scalar_one()
        old = date(2020, 1, 1)
        await work.execute(update(price).values(valid_from=old).where(price.c.item == "g6-nanode-1"))
        await work.execute(update(price_list).values(content_hash="that of an earlier release"))
        assert await prices.keep(work, [("linode", "us-east")]) == 1
        found = await prices.prices_of(work, "linode", [("us-east", "g6-nanode-1")])
        assert [each.valid_from for each in found["us-east", "g6-nanode-1"]] == [old, date(2024, 12, 1)]
        assert (await work.execute(select(func.count()).select_from(price))).scalar_one() == rows + 1
    await database.close()


def test_other_lists_are_another_release() -> None:
    assert len(prices.release()) == 64

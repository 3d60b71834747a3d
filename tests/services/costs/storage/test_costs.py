"""Do the sums over days and meters agree? On rows alone, without a replica."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from services.costs.storage import costs
from services.costs.storage.tables import meter
from shared.db.engine import Database
from shared.kit.ids import new_id
from shared.messages.context import Context
from tests.fixtures.services import Services, context

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
def database(services: Services) -> Database:
    return services.database("costs")


async def run_meter(database: Database, caller: Context, metered_until: datetime) -> None:
    """A dollar an hour, not yet written since a moment."""
    row = {
        "resource_id": new_id(), "organization_id": caller.organization, "provider_id": new_id(),
        "provider_name": "aws", "environment": "production", "project": "photos", "resource_type": "compute",
        "category": "compute", "item": "t3.micro", "usd_per_hour": Decimal(1), "metered_until": metered_until,
    }  # fmt: skip
    async with database.work(caller) as work:
        await work.execute(insert(meter).values(row))


@pytest.mark.parametrize(("first", "last"), [(-3, 1), (-3, 0), (-1, 0), (0, 1), (-9, -5), (1, 2)])
async def test_the_days_add_up_to_the_whole_also_just_after_midnight(database: Database, first: int, last: int) -> None:
    caller = context()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    await run_meter(database, caller, midnight - timedelta(minutes=30))
    async with database.work(caller) as work:
        window = (work.organization, midnight + first * DAY, midnight + last * DAY)
        days = await costs.spending_by_day(work, *window, {})
        whole = costs.total_of(await costs.spending(work, *window))
        today = Decimal((work.now - midnight) / timedelta(hours=1))
    expected = {midnight.date() - DAY: Decimal("0.5")} if first < 0 <= last else {}
    if first <= 0 < last:
        expected[midnight.date()] = today
    assert {day: float(amount) for day, amount in days.items()} == pytest.approx(
        {day: float(amount) for day, amount in expected.items()}
    )
    assert sum(days.values()) == whole

"""When does a configuration that is changed run next? On rows alone, without a replica or a cloud."""

from datetime import datetime
from typing import Any

import pytest

from services.recovery.domain.backups import INTERVALS
from services.recovery.storage import configurations
from shared.db.engine import Database
from shared.kit.ids import new_id
from shared.messages.plans import RetentionPolicy
from tests.fixtures.services import Services, context

pytestmark = pytest.mark.anyio

WEST = "us-west-2"
DAYS = RetentionPolicy().model_dump(mode="json")


@pytest.fixture
def database(services: Services) -> Database:
    return services.database("recovery")


@pytest.mark.parametrize(
    ("before", "after", "next_run"), [("monthly", "hourly", "hourly"), ("hourly", "monthly", "hourly")]
)
async def test_another_frequency_brings_the_next_backup_forward_and_puts_none_off(
    database: Database, before: str, after: str, next_run: str
) -> None:
    caller, plan_id, resource_id = context(), new_id(), new_id()

    async def put(frequency: str) -> tuple[datetime, dict[str, Any]]:
        async with database.work(caller) as work:
            values = {
                "backup_type": "snapshot", "frequency": frequency, "retention": DAYS, "destinations": [WEST],
                "encryption": True, "compression": True, "status": "active",
                "next_run_at": work.now + INTERVALS[frequency],
            }  # fmt: skip
            return work.now, await configurations.put(work, plan_id, resource_id, values)

    first, _ = await put(before)
    second, row = await put(after)
    assert row["frequency"] == after
    assert row["next_run_at"] == (first if next_run == before else second) + INTERVALS[next_run]

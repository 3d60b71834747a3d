"""Does one organization's broken row leave the backups and the retention of all others alone?"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.recovery.jobs.backups import begin_deletions, start_due_backups
from services.recovery.storage import backups, configurations
from shared.db.engine import Database
from shared.db.inventory import apply_resource
from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.plans import RetentionPolicy
from tests.fixtures.services import Services, context, now
from tests.services.costs.inventory import Machine

pytestmark = pytest.mark.anyio

WEST = "us-west-2"
DAYS = RetentionPolicy().model_dump(mode="json")


@dataclass
class Deps:
    """What these jobs touch of recovery's."""

    database: Database


@pytest.fixture
def deps(services: Services) -> Deps:
    return Deps(services.database("recovery"))


async def change(deps: Deps, statement: str, **values: Any) -> None:
    async with deps.database.work(Context.background()) as work:
        await work.execute(text(statement), values)


async def values(deps: Deps, query: str) -> list[Any]:
    async with deps.database.work(Context.background()) as work:
        return [row[0] for row in await work.execute(text(query))]


async def configure(deps: Deps, caller: Context) -> UUID:
    """A configuration whose next run was due an hour ago; its resource."""
    machine = Machine(caller, now())
    async with deps.database.work(caller) as work:
        await apply_resource(work, machine.resource(1, now(), "running"))
        row = {
            "backup_type": "snapshot", "frequency": "hourly", "retention": DAYS, "destinations": [WEST],
            "encryption": True, "compression": True, "status": "active", "next_run_at": now() - timedelta(hours=1),
        }  # fmt: skip
        await configurations.put(work, new_id(), machine.id, row)
    return machine.id


async def test_backups_begin_in_the_organizations_whose_rows_make_sense(deps: Deps) -> None:
    callers = [context() for _ in range(3)]
    resources = [await configure(deps, caller) for caller in callers]
    broken = "UPDATE backup_configurations SET frequency = 'never' WHERE organization_id = :id"
    await change(deps, broken, id=callers[1].organization)
    with pytest.raises(ExceptionGroup):
        await start_due_backups(deps)  # type: ignore[arg-type]
    assert set(await values(deps, "SELECT target FROM backup_executions")) == {resources[0], resources[2]}


async def test_retention_goes_on_in_the_organizations_whose_rows_make_sense(deps: Deps) -> None:
    callers = [context() for _ in range(3)]
    expired = []
    for caller in callers:
        target = new_id()
        for days in (90, 1):
            row = {
                "id": new_id(), "backup_type": "snapshot", "target": target, "provider_id": new_id(),
                "source_region": "us-east-1", "destinations": [], "retention": DAYS, "status": "completed",
                "snapshots": [{"snapshot_id": "snap-1", "copies": {}}], "recovery_point_at": now() - timedelta(days),
                "expires_at": now() + timedelta(30 - days),
            }  # fmt: skip
            async with deps.database.work(caller) as work:
                await backups.add(work, row)
            expired += [row["id"]] if days == 90 else []
    broken = 'UPDATE backup_executions SET retention = \'{"kind": "never"}\' WHERE organization_id = :id'
    await change(deps, broken, id=callers[1].organization)
    with pytest.raises(ExceptionGroup):
        await begin_deletions(deps)  # type: ignore[arg-type]
    deleting = await values(deps, "SELECT id FROM backup_executions WHERE status = 'deleting'")
    assert set(deleting) == {expired[0], expired[2]}
    examined = await values(deps, "SELECT organization_id FROM retention_examinations")
    assert set(examined) == {callers[0].organization, callers[2].organization}

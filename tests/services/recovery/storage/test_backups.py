"""Do the look-ups of backups find what the domain means? On rows alone, without a replica or a cloud."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.recovery.storage import backups
from services.recovery.storage.backups import regions_of
from shared.db.engine import Database
from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.plans import RetentionPolicy
from tests.fixtures.services import Services, context, now

pytestmark = pytest.mark.anyio

EAST, WEST = "us-east-1", "us-west-2"
DAYS = RetentionPolicy().model_dump(mode="json")
GENERATIONS = RetentionPolicy(kind="generations").model_dump(mode="json")


@pytest.fixture
def database(services: Services) -> Database:
    return services.database("recovery")


def snapshot(*regions: str) -> dict[str, Any]:
    return {"snapshot_id": "snap-1", "copies": dict.fromkeys(regions, "snap-2")}


async def add(
    database: Database, caller: Context, target: UUID, recovery_point_at: datetime | None, **values: Any
) -> UUID:
    """A completed backup with one snapshot that was copied to the west."""
    backup_id = new_id()
    row = {
        "id": backup_id, "backup_type": "snapshot", "target": target, "provider_id": new_id(), "source_region": EAST,
        "destinations": [WEST], "snapshots": [snapshot(WEST)], "retention": DAYS, "status": "completed",
        "recovery_point_at": recovery_point_at, **values,
    }  # fmt: skip
    async with database.work(caller) as work:
        await backups.add(work, row)
    return backup_id


async def newest(database: Database, caller: Context, *targets: UUID) -> dict[UUID, UUID]:
    async with database.work(caller) as work:
        found = await backups.newest_usable(work, targets, WEST)
    assert all(WEST in regions_of(row)[1:] for row in found.values())
    return {target: row["id"] for target, row in found.items()}


async def test_the_newest_usable_backup_has_a_copy_of_every_snapshot_in_the_region(database: Database) -> None:
    caller, target, bare = context(), new_id(), new_id()
    usable = await add(database, caller, target, now() - timedelta(hours=9))
    await add(database, caller, target, now() - timedelta(hours=20))
    unusable: list[dict[str, Any]] = [
        {"snapshots": [snapshot(WEST), snapshot("eu-west-1")]},
        {"snapshots": []},
        {"destinations": [], "snapshots": [snapshot(WEST)]},
        {"status": "deleting"},
        {"status": "deletion_failed"},
    ]
    for values in unusable:
        await add(database, caller, target, now(), **values)
    await add(database, context(), target, now())
    assert await newest(database, caller, target, bare) == {target: usable}


async def test_of_two_backups_in_one_second_the_later_id_is_restored(database: Database) -> None:
    caller, targets, moment = context(), [new_id(), new_id()], now()
    ids = [[await add(database, caller, target, moment) for _ in range(3)] for target in targets]
    assert await newest(database, caller, *targets) == {
        target: max(mine) for target, mine in zip(targets, ids, strict=True)
    }


async def test_retention_looks_only_at_resources_of_which_a_backup_may_have_expired(database: Database) -> None:
    caller, fresh, old, generations = context(), new_id(), new_id(), new_id()
    later, earlier = now() + timedelta(days=1), now() - timedelta(days=1)
    await add(database, caller, fresh, now(), expires_at=later)
    of_old = {
        await add(database, caller, old, now(), expires_at=later),
        await add(database, caller, old, now(), expires_at=earlier),
        await add(database, caller, old, now(), expires_at=earlier, status="deletion_failed"),
    }
    of_generations = {await add(database, caller, generations, now(), retention=GENERATIONS)}
    await add(database, caller, generations, now(), retention=GENERATIONS, status="deleting")
    async with database.work(caller) as work:
        assert {each.id for each in await backups.kept(work)} == of_old | of_generations


async def test_the_organization_that_waited_longest_for_retention_comes_first(database: Database) -> None:
    callers = [context() for _ in range(4)]
    for caller in callers[:3]:
        await add(database, caller, new_id(), now(), expires_at=now() - timedelta(days=1))
    await add(database, callers[3], new_id(), now(), expires_at=now() + timedelta(days=1))
    for caller in (callers[1], callers[0]):
        async with database.work(caller) as work:
            await backups.mark_examined(work)
    async with database.work(Context.background()) as work:
        found = await backups.expiring_organizations(work, 10)
        first = await backups.expiring_organizations(work, 1)
    assert found == [callers[2].organization, callers[1].organization, callers[0].organization]
    assert first == found[:1]

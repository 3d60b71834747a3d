"""Are backups taken, copied, found again after faults, and deleted when they have expired?"""

from datetime import timedelta
from typing import Any

import pytest

from shared.clouds.capabilities import machines_of, volumes_of
from shared.clouds.capabilities import snapshots_of as snapshots_at
from shared.clouds.models import SnapshotSpec, SnapshotState, VolumeSpec, VolumeState
from shared.clouds.restoring import restored_volumes_of
from shared.db.inventory import find_resource
from shared.kit.errors import InvalidInput, NotFound
from shared.kit.ids import new_id
from shared.messages.backups import (
    AcceptedBackup,
    BackupCompleted,
    BackupDeleted,
    BackupFailed,
    BackupStarted,
    CreateBackup,
    GetBackup,
    ListBackupConfigurations,
    ListBackups,
)
from shared.messages.plans import RetentionPolicy
from shared.messages.resources import ResourceScaled, ResourceTerminated
from tests.fixtures.services import context, mutation, now
from tests.services.recovery.conftest import EAST, WEST, Tenant, eventually

pytestmark = pytest.mark.anyio

DUE = "UPDATE schedule SET next_run_at = now() WHERE name = :job"


def snapshots_of(tenant: Tenant, backup_id: Any) -> list[dict[str, Any]]:
    return [each for each in tenant.aws.snapshots() if each["tags"].get("canopy:backup") == str(backup_id)]


async def test_a_plan_backs_its_resources_up_at_once_and_copies_them(tenant: Tenant) -> None:
    plan, backup = await tenant.protect()
    assert backup.status == "completed"
    assert backup.location == [EAST, WEST]
    assert backup.size_gb is not None
    assert backup.size_gb > 0
    assert backup.recovery_point_at is not None
    assert backup.recovery_point_at == backup.snapshots[0].snapshot_started_at
    assert backup.expires_at == backup.recovery_point_at + timedelta(days=30)
    made = snapshots_of(tenant, backup.id)
    assert sorted((each["region"], each["state"]) for each in made) == [(EAST, "completed"), (WEST, "completed")]
    [configuration] = (await tenant.ask_again(ListBackupConfigurations, plan_id=plan.id)).items
    assert (configuration.frequency, configuration.status) == ("daily", "active")
    assert (configuration.runs, configuration.success_rate) == (1, 100.0)


async def test_an_asked_for_backup_is_listed_with_a_summary(tenant: Tenant) -> None:
    empty = await tenant.ask_again(ListBackups)
    assert (empty.summary.total, empty.summary.success_rate, empty.summary.oldest_backup_at) == (0, None, None)
    accepted: AcceptedBackup = await tenant.services.ask(
        CreateBackup(**mutation(tenant.context), target=tenant.resource_id, notes="before", regions=[WEST])
    )
    done = (await tenant.services.event(BackupCompleted, lambda e: e.backup.id == accepted.backup.id)).backup
    page = await tenant.ask_again(ListBackups)
    assert [each.id for each in page.items] == [done.id]
    assert page.items[0].notes == "before"
    assert page.summary.total_size_gb == done.size_gb
    assert page.summary.success_rate == 100.0
    assert page.summary.oldest_backup_at == done.recovery_point_at
    with pytest.raises(NotFound):
        await tenant.services.ask(GetBackup(**context().envelope(now()), backup_id=done.id))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"target": new_id()}, "/target"), ({"backup_type": "database"}, "/type"), ({"regions": ["mars"]}, "/regions/0")],
)
async def test_what_cannot_be_backed_up_is_refused_with_a_pointer(
    tenant: Tenant, changes: dict[str, Any], pointer: str
) -> None:
    values = {"target": tenant.resource_id, **changes}
    with pytest.raises(InvalidInput) as refused:
        await tenant.services.ask(CreateBackup(**mutation(tenant.context), **values))
    assert [each.pointer for each in refused.value.errors] == [pointer]
    assert (await tenant.ask_again(ListBackups)).items == []


@pytest.mark.parametrize("fault", [{"reset": True, "after": True}, {"status": 503, "code": "RequestLimitExceeded"}])
async def test_lost_answers_and_throttling_make_no_second_snapshot(tenant: Tenant, fault: dict[str, Any]) -> None:
    for action in ("CreateSnapshot", "CopySnapshot", "DescribeSnapshots"):
        tenant.aws.fault(match={"action": action}, count=2, **fault)
    _, backup = await tenant.protect()
    assert len(snapshots_of(tenant, backup.id)) == 2


async def test_a_backup_that_fails_leaves_no_snapshot_and_is_told(tenant: Tenant) -> None:
    tenant.aws.fault(match={"action": "CopySnapshot"}, status=403, code="UnauthorizedOperation")
    plan = await tenant.services.ask(tenant.plan())
    failed = (await tenant.services.event(BackupFailed, lambda e: e.backup.plan_id == plan.id, 60)).backup
    assert failed.error is not None
    assert failed.error["code"] == "UnauthorizedOperation"
    assert snapshots_of(tenant, failed.id) == []
    [configuration] = (await tenant.ask_again(ListBackupConfigurations, plan_id=plan.id)).items
    assert (configuration.runs, configuration.success_rate) == (1, 0.0)
    assert (await tenant.ask_again(ListBackups)).summary.success_rate == 0.0


async def test_due_backups_begin_by_the_clock_once_over_two_replicas(tenant: Tenant) -> None:
    await tenant.start()
    plan, first = await tenant.protect()
    await tenant.update("UPDATE backup_configurations SET next_run_at = now() - interval '3 days'")
    await tenant.update(DUE, job="recovery.start_due_backups")
    second = (
        await tenant.services.event(
            BackupCompleted, lambda e: e.backup.plan_id == plan.id and e.backup.id != first.id, 60
        )
    ).backup
    [configuration] = (await tenant.ask_again(ListBackupConfigurations, plan_id=plan.id)).items
    assert configuration.next_run_at > now()
    await tenant.update(DUE, job="recovery.start_due_backups")
    begun = [e.backup.id for e in tenant.services.events if isinstance(e, BackupStarted)]
    assert begun == [first.id, second.id]


async def test_expired_backups_lose_their_snapshots_everywhere_but_never_the_newest(tenant: Tenant) -> None:
    _, first = await tenant.protect()
    accepted: AcceptedBackup = await tenant.services.ask(
        CreateBackup(**mutation(tenant.context), target=tenant.resource_id, retention=RetentionPolicy(days=1))
    )
    newest = (await tenant.services.event(BackupCompleted, lambda e: e.backup.id == accepted.backup.id)).backup
    earlier = "recovery_point_at - interval '90 days'"
    await tenant.update(
        f"UPDATE backup_executions SET recovery_point_at = {earlier}, expires_at = expires_at - interval '90 days'"
    )
    await tenant.update(DUE, job="recovery.delete_expired_backups")
    gone = (await tenant.services.event(BackupDeleted, timeout_s=60)).backup
    assert (gone.id, gone.status, gone.location) == (first.id, "deleted", [])
    assert snapshots_of(tenant, first.id) == []
    assert len(snapshots_of(tenant, newest.id)) == 2
    assert [each.id for each in (await tenant.ask_again(ListBackups)).items] == [newest.id]


async def test_a_terminated_resource_is_backed_up_no_more(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    await tenant.tell(ResourceTerminated, tenant.resource(version=2, resource_status="terminated"))

    async def disabled() -> bool:
        [configuration] = (await tenant.ask_again(ListBackupConfigurations, plan_id=plan.id)).items
        return configuration.status == "disabled"

    await eventually(disabled)


async def test_a_machine_without_its_root_is_not_backed_up_from_a_data_disk(tenant: Tenant) -> None:
    """The data disk is its only volume then, and no system."""
    machines, volumes, snapshots = machines_of(tenant.cloud), volumes_of(tenant.cloud), snapshots_at(tenant.cloud)
    machine, root = tenant.machine.id, (await machines_of(tenant.cloud).get(EAST, tenant.machine.id)).root_volume_id
    assert root is not None
    source = await snapshots.create(EAST, SnapshotSpec(str(new_id()), root))

    async def whole() -> bool:
        return (await snapshots.get(EAST, source.id)).state is SnapshotState.COMPLETED

    await eventually(whole)
    zone = (await machines.get(EAST, machine)).zone or ""
    data = await restored_volumes_of(tenant.cloud).create_from_snapshot(
        EAST, VolumeSpec(str(new_id()), zone, source.id)
    )

    async def there() -> bool:
        return (await volumes.get(EAST, data.id)).state is VolumeState.AVAILABLE

    await eventually(there)
    await volumes.attach(EAST, data.id, machine, "/dev/sdf")
    await volumes.detach(EAST, root)
    await tenant.services.ask(CreateBackup(**mutation(tenant.context), target=tenant.resource_id))
    failed = (await tenant.services.event(BackupFailed)).backup
    assert failed.error is not None
    assert "does not say which of its volumes it boots from" in str(failed.error)
    assert snapshots_of(tenant, failed.id) == []


async def test_a_scaled_resource_is_known_with_its_new_size(tenant: Tenant) -> None:
    before = tenant.resource()
    after = tenant.resource(version=2, configuration={**before.configuration, "instance_type": "t3.small"})
    envelope = tenant.context.about(after.id, after.version, now())
    await tenant.services.publish(
        ResourceScaled(**envelope, resource=after, action="scale_up", trigger="manual",
                       before=before.configuration, after=after.configuration)
    )  # fmt: skip

    async def known() -> bool:
        async with tenant.database.work(tenant.context) as work:
            found = await find_resource(work, after.id)
        return found is not None and found["configuration"] == after.configuration

    await eventually(known)


async def test_a_backup_killed_in_the_middle_is_resumed_and_made_once(tenant: Tenant) -> None:
    plan = await tenant.services.ask(tenant.plan())
    await tenant.services.event(BackupStarted, lambda e: e.backup.plan_id == plan.id)
    await tenant.services._running[-1].kill()
    await tenant.start()
    backup = await tenant.backed_up(plan)
    assert len(snapshots_of(tenant, backup.id)) == 2

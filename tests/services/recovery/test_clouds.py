"""Is a machine backed up and restored at every cloud as at AWS, each in its own way, and does nothing stay behind?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from shared.clouds.capabilities import machines_of, snapshots_of, volumes_of
from shared.clouds.models import MachineSpec, MachineState, SnapshotSpec, SnapshotState, VolumeSpec, VolumeState
from shared.clouds.registry import open_cloud
from shared.clouds.restoring import CreatesVolumes, EmptyVolumeSpec, RestoresVolumes
from shared.kit.ids import new_id
from shared.messages.backups import Backup, BackupCompleted, BackupDeleted, BackupFailed, CreateBackup
from shared.messages.plans import RetentionPolicy
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.services import Services, mutation
from tests.services.recovery.conftest import Home, Tenant, eventually

pytestmark = pytest.mark.anyio

HOMES = (
    Home("azure", "eastus", "westus2", "Standard_B1s", "virtual_machine"),
    Home("gcp", "us-central1", "europe-west1", "e2-micro", "gce_instance"),
    Home("digitalocean", "nyc3", "ams3", "s-1vcpu-1gb", "droplet"),
    Home("linode", "us-east", "eu-central", "g6-nanode-1", "linode"),
    Home("vultr", "ewr", "fra", "vc2-1c-1gb", "vultr_instance"),
)
KEPT_AS_A_WHOLE = {"digitalocean", "linode", "vultr"}
DATA_DEVICES = {"azure": "/dev/sdc", "gcp": "sdb"}


@pytest.fixture
async def world(
    simulated_world: dict[str, SimulatedCloud], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, SimulatedCloud]]:
    """Our own simulated clouds, whose time passes: states arrive a moment after they were asked for."""
    simulated = next(iter(simulated_world.values()))

    async def pass_time() -> None:
        while True:
            await asyncio.to_thread(simulated.advance)
            await asyncio.sleep(0.1)

    simulated.clear_faults()
    for name, each in simulated_world.items():
        monkeypatch.setenv(f"CANOPY_{name.upper()}_ENDPOINT_URL", each.endpoint_url)
    passing = asyncio.create_task(pass_time())
    yield simulated_world
    passing.cancel()
    with suppress(asyncio.CancelledError):
        await passing
    simulated.clear_faults()


async def tenant_at(services: Services, simulated: SimulatedCloud, home: Home) -> Tenant:
    """A tenant whose machine runs."""
    cloud = open_cloud(home.provider_name, simulated.credentials(), simulated.settings())
    machines = machines_of(cloud)
    made = await machines.create(home.region, MachineSpec(str(new_id()), home.instance_type, {"Name": "web-1"}))

    async def runs() -> bool:
        return (await machines.get(home.region, made.id)).state is MachineState.RUNNING

    await eventually(runs)
    return Tenant(services, simulated, cloud, await machines.get(home.region, made.id), home)


async def give_a_data_disk(tenant: Tenant) -> None:
    """A second disk, made of the first."""
    region, cloud = tenant.home.region, tenant.cloud
    snapshots, volumes = snapshots_of(cloud), volumes_of(cloud)
    assert isinstance(volumes, RestoresVolumes)
    assert tenant.machine.root_volume_id is not None
    source = await snapshots.create(region, SnapshotSpec(str(new_id()), tenant.machine.root_volume_id))

    async def is_whole() -> bool:
        return (await snapshots.get(region, source.id)).state is SnapshotState.COMPLETED

    await eventually(is_whole)
    zone = tenant.machine.zone
    assert zone is not None
    disk = await volumes.create_from_snapshot(region, VolumeSpec(str(new_id()), zone, source.id))

    async def is_there() -> bool:
        return (await volumes.get(region, disk.id)).state is VolumeState.AVAILABLE

    await eventually(is_there)
    await volumes.attach(region, disk.id, tenant.machine.id, DATA_DEVICES[tenant.home.provider_name])
    await snapshots.delete(region, source.id)


def of_drill(tenant: Tenant, drill_id: object) -> list[dict[str, Any]]:
    """The cloud's own list of what carries a drill's tag and is there; machines that are gone are left out."""
    found = [*tenant.simulated.machines(), *tenant.simulated.volumes(), *tenant.simulated.snapshots()]
    return [
        each
        for each in found
        if each["tags"].get("canopy:drill") == str(drill_id) and "delet" not in str(each["state"]).lower()
    ]


async def live_through(tenant: Tenant) -> None:
    """A backup, a drill, and the report on it."""
    home = tenant.home
    await tenant.know()
    plan, backup = await tenant.protect()
    assert set(backup.location) == {home.region, home.other_region}
    assert backup.method == ("image" if home.provider_name in KEPT_AS_A_WHOLE else "snapshot")
    assert backup.size_gb is not None
    assert backup.size_gb > 0
    assert backup.snapshots[0].is_root
    assert len(backup.snapshots) == (2 if home.provider_name in DATA_DEVICES else 1)
    drill = await tenant.drilled(await tenant.drill(plan))
    assert drill.test_successful is True, (home, drill.issues_identified)
    assert all(check.passed for check in drill.checks), (home, drill.checks)
    assert drill.restored[0].machine_id is not None
    assert drill.not_cleaned == []
    assert of_drill(tenant, drill.id) == []
    if home.provider_name in KEPT_AS_A_WHOLE:
        await a_volume_is_not_overlooked(tenant)
    if home.provider_name == "linode":
        await an_expired_image_goes(tenant, backup)
    await machines_of(tenant.cloud).terminate(home.region, tenant.machine.id)
    await tenant.cloud.close()


async def a_volume_is_not_overlooked(tenant: Tenant) -> None:
    """No image holds it, and it is copied nowhere: a backup without it would seem whole."""
    region, volumes = tenant.home.region, volumes_of(tenant.cloud)
    assert isinstance(volumes, CreatesVolumes)
    made = await volumes.create_empty(region, EmptyVolumeSpec(str(new_id()), region, 10))

    async def is_there() -> bool:
        return (await volumes.get(region, made.id)).state is VolumeState.AVAILABLE

    await eventually(is_there)
    await volumes.attach(region, made.id, tenant.machine.id, "/dev/sdc")
    accepted = await tenant.services.ask(CreateBackup(**mutation(tenant.context), target=tenant.resource_id))
    failed = (await tenant.services.event(BackupFailed, lambda e: e.backup.id == accepted.backup.id, 60)).backup
    assert made.id in str(failed.error)
    await volumes.detach(region, made.id)
    await volumes.delete(region, made.id)


async def an_expired_image_goes(tenant: Tenant, first: Backup) -> None:
    """From all its regions at once."""
    retention, regions = RetentionPolicy(days=1), [tenant.home.other_region]
    accepted = await tenant.services.ask(
        CreateBackup(**mutation(tenant.context), target=tenant.resource_id, retention=retention, regions=regions)
    )
    newest = (await tenant.services.event(BackupCompleted, lambda e: e.backup.id == accepted.backup.id, 60)).backup
    await tenant.update(
        "UPDATE backup_executions SET recovery_point_at = recovery_point_at - interval '90 days',"
        " expires_at = expires_at - interval '90 days' WHERE organization_id = :organization",
        organization=tenant.organization,
    )
    await tenant.update("UPDATE schedule SET next_run_at = now() WHERE name = 'recovery.delete_expired_backups'")
    gone = (await tenant.services.event(BackupDeleted, lambda e: e.backup.target == tenant.resource_id, 60)).backup
    assert gone.id == first.id
    kept = {each["id"] for each in tenant.simulated.snapshots()}
    assert first.snapshots[0].snapshot_id not in kept
    assert newest.snapshots[0].snapshot_id in kept


async def test_a_machine_is_restored_at_every_cloud_with_its_disks_and_nothing_stays(
    services: Services, world: dict[str, SimulatedCloud]
) -> None:
    await services.prepare("recovery")
    tenants = await asyncio.gather(*(tenant_at(services, world[each.provider_name], each) for each in HOMES))
    await asyncio.gather(*(give_a_data_disk(each) for each in tenants if each.home.provider_name in DATA_DEVICES))
    await tenants[0].start(cloud_poll_s=0.2)
    await asyncio.gather(*(live_through(each) for each in tenants))

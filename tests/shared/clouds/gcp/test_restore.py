"""Snapshots of Google Cloud move between regions through a disk that nobody has to pay for afterwards."""

import pytest

from shared.clouds.errors import NotFound, PermissionDenied, StillWorking, Unsupported
from shared.clouds.gcp.networks import _denies_all
from shared.clouds.gcp.volumes import _zonal
from shared.clouds.models import TOKEN_TAG, ImageSpec, MachineSpec, SnapshotSpec, SnapshotState, VolumeSpec
from shared.clouds.registry import open_cloud
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION, OTHER = "us-west1", "europe-west3"


@pytest.fixture
async def machine(cloud, gcp):
    made = await cloud.machines.create(REGION, MachineSpec(new_token(), "e2-micro"))
    gcp.advance()
    return await cloud.machines.get(REGION, made.id)


@pytest.fixture
async def snapshot(cloud, gcp, machine):
    made = await cloud.snapshots.create(REGION, SnapshotSpec(new_token(), machine.root_volume_id, {"Name": "nightly"}))
    gcp.advance()
    return await cloud.snapshots.get(REGION, made.id)


def disks_of_copies(gcp, copy):
    return [each["id"] for each in gcp.volumes() if each["id"].rpartition("/")[2] == f"{copy.id}-copy"]


async def test_the_disk_between_a_snapshot_and_its_copy_goes_with_the_first_look_at_the_finished_copy(
    cloud, gcp, snapshot
):
    copied = await cloud.snapshots.copy(REGION, snapshot.id, OTHER, token=new_token(), tags={})
    gcp.advance()
    assert (await cloud.snapshots.get(OTHER, copied.id)).state is SnapshotState.COMPLETED
    gcp.advance(1)
    assert disks_of_copies(gcp, copied) == []
    assert await cloud.volumes.find_by_token(OTHER, copied.tags[TOKEN_TAG]) is None


async def test_a_copy_that_is_deleted_early_leaves_no_disk(cloud, gcp, snapshot):
    copied = await cloud.snapshots.copy(REGION, snapshot.id, OTHER, token=new_token(), tags={})
    gcp.advance(1)
    await cloud.snapshots.delete(OTHER, copied.id)
    gcp.advance(1)
    assert disks_of_copies(gcp, copied) == []
    with pytest.raises(NotFound):
        await cloud.snapshots.get(OTHER, copied.id)


async def test_a_copy_whose_disk_takes_long_is_still_being_prepared(cloud, gcp, snapshot):
    impatient = open_cloud("gcp", gcp.credentials(), gcp.settings(gcp_operation_wait_s=0.01))
    token = new_token()
    with pytest.raises(StillWorking):
        await impatient.snapshots.copy(REGION, snapshot.id, OTHER, token=token, tags={"a": "b"})
    gcp.advance(1)
    copied = await impatient.snapshots.copy(REGION, snapshot.id, OTHER, token=token, tags={"a": "b"})
    assert copied.tags == {"a": "b", TOKEN_TAG: token}
    gcp.advance()
    await cloud.snapshots.get(OTHER, copied.id)
    await impatient.close()


async def test_a_snapshot_is_only_where_it_is_stored(cloud, snapshot):
    with pytest.raises(NotFound, match=f"stored in {REGION}"):
        await cloud.snapshots.get(OTHER, snapshot.id)
    assert await cloud.snapshots.find_by_token(OTHER, snapshot.tags[TOKEN_TAG]) is None


async def test_looking_at_a_copy_needs_no_right_to_write(cloud, gcp, snapshot):
    copied = await cloud.snapshots.copy(REGION, snapshot.id, OTHER, token=new_token(), tags={})
    gcp.advance()
    reader = open_cloud("gcp", gcp.credentials(2), gcp.settings())
    assert (await reader.snapshots.get(OTHER, copied.id)).state is SnapshotState.COMPLETED
    with pytest.raises(PermissionDenied):
        await reader.snapshots.delete(OTHER, copied.id)
    await reader.close()


async def test_a_failed_snapshot_says_so(cloud, gcp, machine):
    gcp.fault(match={"service": "gcp", "action": "snapshots.insert"}, fail_operation=True, count=1)
    made = await cloud.snapshots.create(REGION, SnapshotSpec(new_token(), machine.root_volume_id))
    gcp.advance()
    failed = await cloud.snapshots.get(REGION, made.id)
    assert (failed.state, failed.state_reason) == (SnapshotState.ERROR, "The snapshot is FAILED")


async def test_a_restored_machines_root_device_is_called_as_it_was(cloud, gcp, snapshot):
    """A drill compares device names; Google's images know none."""
    image = await cloud.images.register(REGION, ImageSpec(new_token(), snapshot.id, "x86_64", "boot-of-old"))
    gcp.advance()
    assert (await cloud.images.get(REGION, image.id)).root_device_name == "boot-of-old"
    made = await cloud.machines.create(REGION, MachineSpec(new_token(), "e2-micro", image=image.id))
    gcp.advance()
    restored = await cloud.machines.get(REGION, made.id)
    assert restored.root_device_name == "boot-of-old"
    assert restored.root_volume_id is not None


async def test_a_restored_root_disk_becomes_the_boot_disk_of_a_machine_without_one(cloud, gcp, machine, snapshot):
    await cloud.machines.stop(REGION, machine.id)
    gcp.advance()
    await cloud.volumes.detach(REGION, machine.root_volume_id)
    spec = VolumeSpec(new_token(), machine.zone, snapshot.id)
    volume = await cloud.volumes.create_from_snapshot(REGION, spec)
    gcp.advance(1)
    await cloud.volumes.attach(REGION, volume.id, machine.id, machine.root_device_name)
    swapped = await cloud.machines.get(REGION, machine.id)
    assert swapped.root_volume_id == volume.id
    await cloud.machines.start(REGION, machine.id)
    await cloud.volumes.delete(REGION, machine.root_volume_id)


async def test_a_wall_with_a_hole_is_no_wall(cloud):
    token = new_token()
    wall = await cloud.networks.create_isolated_group(REGION, token=token, tags={}, description="drill")
    client = cloud._client
    rule = await client.read("firewalls.get", REGION, "global", "firewalls", f"{wall.id}-in")
    assert _denies_all(rule, "INGRESS", wall.id)
    assert not _denies_all(rule, "EGRESS", wall.id)
    assert not _denies_all(rule, "INGRESS", "another-tag")
    assert not _denies_all(None, "INGRESS", wall.id)
    for name, value in (("priority", 1), ("disabled", True), ("direction", "EGRESS")):
        assert not _denies_all({**rule, name: value}, "INGRESS", wall.id)
    await client.call("firewalls", "delete_unary", REGION, firewall=f"{wall.id}-out")
    found = await cloud.networks.find_by_token(REGION, token)
    assert (found.ingress_rules, found.egress_rules) == (0, 1)
    again = await cloud.networks.create_isolated_group(REGION, token=token, tags={}, description="drill")
    assert again == wall
    await cloud.networks.delete_group(REGION, wall.id)
    assert await cloud.networks.find_by_token(REGION, token) is None


def test_a_regional_disk_is_not_left_out_in_silence():
    base = "https://www.googleapis.com/compute/v1/projects/p"
    assert _zonal(f"{base}/zones/us-west1-a/disks/one") == ("us-west1-a", "one")
    with pytest.raises(Unsupported, match="regions/us-west1/disks/two is not in one zone"):
        _zonal(f"{base}/regions/us-west1/disks/two")

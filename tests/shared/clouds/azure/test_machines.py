"""A virtual machine is made as asked, with what belongs to it, and goes with it."""

from dataclasses import replace

import pytest

from shared.clouds.azure import facts
from shared.clouds.azure.machines import AzureMachines
from shared.clouds.azure.sizes import architecture_of
from shared.clouds.errors import Conflict, IncorrectState, InvalidRequest, NoCapacity, NotFound
from shared.clouds.models import CapacityType, ImageSpec, MachineSpec, MachineState, SnapshotSpec, SnapshotState
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "swedencentral"


def spec(**changes: object) -> MachineSpec:
    return replace(MachineSpec(token=new_token(), instance_type="Standard_B1s"), **changes)


@pytest.fixture
def called(simulated_azure):
    """How often an action was called in our region since the test began."""
    before = simulated_azure.calls()

    def count(action: str, region: str = REGION) -> int:
        return simulated_azure.calls().get((region, action), 0) - before.get((region, action), 0)

    return count


async def made(cloud, simulated_azure, wanted: MachineSpec):
    machine = await cloud.machines.create(REGION, wanted)
    simulated_azure.advance()
    return await cloud.machines.get(REGION, machine.id)


async def test_a_machine_has_an_id_addresses_a_zone_and_a_disk(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec())
    assert machine.id.startswith(f"/subscriptions/{simulated_azure.credentials()['subscription_id']}/resourceGroups/")
    assert f"/resourceGroups/canopy-{REGION}/providers/Microsoft.Compute/virtualMachines/canopy-" in machine.id
    assert machine.zone in {"1", "2", "3"}
    assert machine.private_ip.startswith("10.61.")
    assert machine.public_ip
    assert machine.subnet_id.endswith("/virtualNetworks/canopy/subnets/default")
    assert machine.root_volume_id.endswith("-os")
    assert machine.image.startswith("Canonical:ubuntu-24_04-lts:server:24.04.2026")


async def test_a_machine_is_in_the_zone_asked_for_or_in_none(cloud):
    assert (await cloud.machines.create(REGION, spec(zone="3"))).zone == "3"
    assert (await cloud.machines.create(REGION, spec(zone=REGION))).zone == REGION
    assert (await cloud.machines.create("westus", spec())).zone == "westus"


async def test_an_arm_size_boots_an_arm_image(cloud):
    machine = await cloud.machines.create(REGION, spec(instance_type="Standard_B2pts_v2"))
    assert machine.image.startswith("Canonical:ubuntu-24_04-lts:server-arm64:")
    assert machine.architecture == "arm64"


@pytest.mark.parametrize(
    ("size", "architecture"),
    [
        ("Standard_B1s", "x86_64"), ("Standard_D4ps_v5", "arm64"), ("Standard_B2pts_v2", "arm64"),
        ("Standard_M416-208s_v2", "x86_64"), ("Standard_NP10s", "x86_64"), ("Standard_E2s_v5", "x86_64"),
        ("Standard_D2pls_v5", "arm64"),
    ],
)  # fmt: skip
def test_a_size_s_name_says_its_architecture(size, architecture):
    assert architecture_of(size) == architecture


async def test_the_root_disk_has_the_size_asked_for(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec(root_volume_gib=64))
    [root] = await cloud.volumes.of_machine(REGION, machine.id)
    assert root.size_gib == 64
    assert root.device_name == machine.root_device_name


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"image": "Canonical:ubuntu-24_04-lts:server:1.0.0"}, "image"),
        ({"image": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/none"}, "image"),
        ({"instance_type": "Standard_D9999s"}, "instance_type"),
        ({"zone": "7"}, "availability_zone"),
        ({"subnet_id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s"},
         "subnet_id"),
        ({"security_groups": (("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
                              "networkSecurityGroups/none"),)}, "security_groups"),
        ({"security_groups": ("one", "two")}, "security_groups"),
        ({"root_volume_gib": 10}, "volume_size_gib"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_and_nothing_is_made(cloud, simulated_azure, changes, field):
    wanted = spec(**changes)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.machines.create(REGION, wanted)
    assert caught.value.field == field
    assert not [each for each in simulated_azure.machines() if each["token"] == wanted.token]


async def test_everything_made_with_a_machine_goes_with_it(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec())
    await cloud.machines.terminate(REGION, machine.id)
    assert (await cloud.machines.get(REGION, machine.id)).state is MachineState.SHUTTING_DOWN
    simulated_azure.advance()
    with pytest.raises(NotFound):
        await cloud.volumes.get(REGION, machine.root_volume_id)
    client = cloud.machines._client
    for operation in ("network_interfaces.list_all", "public_ip_addresses.list_all"):
        left = [each async for page in client.pages("network", operation) for each in page]
        assert not [each for each in left if machine.id.rpartition("/")[2] in each["id"]]


async def test_a_list_shows_what_a_read_shows(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec(tags={"Name": "listed"}))
    await cloud.machines.stop(REGION, machine.id)
    simulated_azure.advance()
    read = await cloud.machines.get(REGION, machine.id)
    [listed] = [each async for page in cloud.machines.pages(REGION) for each in page if each.id == machine.id]
    assert listed == read
    assert listed.state is MachineState.STOPPED


async def test_a_list_is_four_lists_however_many_machines(cloud, simulated_azure, called):
    for _ in range(3):
        await made(cloud, simulated_azure, spec())
    reads = called("virtual_machines.get"), called("network_interfaces.get")
    assert [page async for page in cloud.machines.pages(REGION, page_size=2)]
    assert (called("virtual_machines.get"), called("network_interfaces.get")) == reads


async def test_a_machine_whose_allocation_fails_says_why_and_is_going(cloud, simulated_azure):
    simulated_azure.fault(
        match={"service": "azure", "action": "virtual_machines.create_or_update"}, fail_operation=True, count=1
    )
    machine = await made(cloud, simulated_azure, spec())
    assert machine.state is MachineState.SHUTTING_DOWN
    assert machine.state_reason.startswith("AllocationFailed: ")
    assert (type(machine.failure), machine.failure.code) == (NoCapacity, "AllocationFailed")
    await cloud.machines.terminate(REGION, machine.id)


async def test_a_family_without_quota_is_refused_before_anything_is_made(cloud, simulated_azure):
    wanted = spec(instance_type="Standard_M128s")
    with pytest.raises(Exception, match="quota"):
        await cloud.machines.create(REGION, wanted)


async def test_a_token_written_down_before_a_crash_is_taken_up_again(cloud, simulated_azure):
    """The receipt is there and the machine is not: nobody knows of one, so it is made now."""
    wanted = spec()
    simulated_azure.fault(
        match={"service": "azure", "action": "virtual_machines.create_or_update"}, status=409, code="no_capacity"
    )
    with pytest.raises(NoCapacity):
        await cloud.machines.create(REGION, wanted)
    assert await cloud.machines.find_by_token(REGION, wanted.token) is None
    simulated_azure.clear_faults()
    assert (await cloud.machines.create(REGION, wanted)).token == wanted.token


async def test_a_machine_deleted_by_somebody_else_leaves_its_token_used(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec())
    group, name = f"canopy-{REGION}", machine.id.rpartition("/")[2]
    await cloud.machines._client.call("compute", "virtual_machines.begin_delete", group, name, region=REGION)
    simulated_azure.advance()
    again = await cloud.machines.create(REGION, replace(spec(), token=machine.token))
    assert (again.id, again.state) == (machine.id, MachineState.TERMINATED)
    assert len([each for each in simulated_azure.machines() if each["token"] == machine.token]) == 1


async def test_a_race_that_another_spec_won_is_a_conflict(cloud, simulated_azure):
    """Both had looked for a receipt before either wrote one: Azure's If-None-Match decides."""
    first = spec()
    await cloud.machines.create(REGION, first)
    machines: AzureMachines = cloud.machines

    async def nobody(*_):
        return None

    machines._receipts.find = nobody
    with pytest.raises(Conflict):
        await machines.create(REGION, replace(first, instance_type="Standard_B2s"))
    assert (await machines.create(REGION, first)).token == first.token


async def test_a_create_is_four_calls_once_its_region_is_known(cloud, called):
    await cloud.machines.create(REGION, spec())
    names = ("ssh_public_keys.get", "ssh_public_keys.create", "virtual_machines.create_or_update",
             "ssh_public_keys.update", "resource_groups.get", "virtual_networks.get")  # fmt: skip
    before = [called(each) for each in names]
    await cloud.machines.create(REGION, spec())
    assert [called(each) - old for each, old in zip(names, before, strict=True)] == [1, 1, 1, 1, 0, 0]


@pytest.fixture
async def image(cloud, simulated_azure):
    """An image of ours, of a machine's root disk."""
    machine = await made(cloud, simulated_azure, spec())
    snapshot = await cloud.snapshots.create(REGION, SnapshotSpec(new_token(), machine.root_volume_id))
    simulated_azure.advance()
    image = await cloud.images.register(REGION, ImageSpec(new_token(), snapshot.id, "x86_64", "/dev/sda"))
    simulated_azure.advance()
    return image


async def test_no_disk_is_left_behind_a_refused_restoration(cloud, simulated_azure, image):
    before = {each["id"] for each in simulated_azure.volumes()}
    simulated_azure.fault(
        match={"service": "azure", "action": "virtual_machines.create_or_update"}, status=409, code="no_capacity"
    )
    with pytest.raises(NoCapacity):
        await cloud.machines.create(REGION, spec(image=image.id))
    assert {each["id"] for each in simulated_azure.volumes()} == before
    simulated_azure.clear_faults()
    restored = await made(cloud, simulated_azure, spec(image=image.id, tags={"Name": "restored"}))
    assert restored.image == image.id
    assert restored.tags == {"Name": "restored", "canopy:token": restored.token}


async def test_a_snapshot_stays_while_an_image_is_about_it(cloud, image):
    [snapshot_id] = image.snapshot_ids
    with pytest.raises(Conflict):
        await cloud.snapshots.delete(REGION, snapshot_id)
    await cloud.images.deregister(REGION, image.id)
    await cloud.snapshots.delete(REGION, snapshot_id)


async def test_an_image_whose_snapshot_somebody_removed_is_named(cloud, image):
    [snapshot_id] = image.snapshot_ids
    group, name = f"canopy-{REGION}", snapshot_id.rpartition("/")[2]
    await cloud.images._client.call("compute", "snapshots.begin_delete", group, name, region=REGION)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.machines.create(REGION, spec(image=image.id))
    assert caught.value.field == "image"


async def test_an_unfinished_snapshot_makes_no_image(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec())
    snapshot = await cloud.snapshots.create(REGION, SnapshotSpec(new_token(), machine.root_volume_id))
    with pytest.raises(IncorrectState):
        await cloud.images.register(REGION, ImageSpec(new_token(), snapshot.id, "x86_64", "/dev/sda"))


async def test_a_copy_that_fails_says_so(cloud, simulated_azure):
    machine = await made(cloud, simulated_azure, spec())
    snapshot = await cloud.snapshots.create(REGION, SnapshotSpec(new_token(), machine.root_volume_id))
    simulated_azure.advance()
    simulated_azure.fault(
        match={"service": "azure", "action": "snapshots.create_or_update"}, fail_operation=True, count=1
    )
    copied = await cloud.snapshots.copy(REGION, snapshot.id, "northeurope", token=new_token(), tags={})
    assert copied.state is SnapshotState.PENDING
    simulated_azure.advance()
    assert (await cloud.snapshots.get("northeurope", copied.id)).state is SnapshotState.ERROR


async def test_a_size_that_is_not_open_to_us_is_refused_by_its_field(cloud, simulated_azure):
    wanted = spec(instance_type="Standard_F4s_v2")
    with pytest.raises(InvalidRequest, match="not open to this subscription") as caught:
        await cloud.machines.create(REGION, wanted)
    assert caught.value.field == "instance_type"


async def test_a_zone_that_is_closed_for_a_size_is_not_chosen_and_refused_when_asked_for(cloud, simulated_azure):
    zones = {(await cloud.machines.create(REGION, spec(instance_type="Standard_D8s_v5"))).zone for _ in range(12)}
    assert zones == {"2", "3"}
    with pytest.raises(NoCapacity):
        await cloud.machines.create(REGION, spec(instance_type="Standard_D8s_v5", zone="1"))


async def test_sizes_are_asked_for_once_an_hour(cloud, simulated_azure, called):
    for _ in range(2):
        await cloud.machines.create(REGION, spec())
    assert called("resource_skus.list") == 1
    assert called("virtual_machine_images.list") == 1


@pytest.mark.parametrize(("device", "lun"), [("/dev/sdc", 0), ("/dev/sdf", 3), ("/dev/sdz", 23), ("lun30", 30)])
def test_a_device_is_a_lun(device, lun):
    assert facts.lun_of(device) == lun
    assert facts.device_of(lun) == device


@pytest.mark.parametrize("device", ["/dev/sda", "/dev/sdb", "/dev/xvdf", "lun", "f", ""])
def test_no_other_device_is_one(device):
    assert facts.lun_of(device) is None


@pytest.mark.parametrize(
    ("provisioning", "codes", "state"),
    [
        ("Creating", ["PowerState/running"], MachineState.PENDING),
        ("Succeeded", ["PowerState/running"], MachineState.RUNNING),
        ("Updating", ["PowerState/starting"], MachineState.PENDING),
        ("Updating", ["PowerState/deallocating"], MachineState.STOPPING),
        ("Succeeded", ["PowerState/stopped"], MachineState.STOPPED),
        ("Failed", ["ProvisioningState/failed/x", "PowerState/deallocated"], MachineState.STOPPED),
        ("Failed", ["ProvisioningState/failed/AllocationFailed"], MachineState.SHUTTING_DOWN),
        ("Deleting", ["PowerState/running"], MachineState.SHUTTING_DOWN),
        ("Succeeded", [], MachineState.PENDING),
    ],
)
def test_a_state_is_read_from_provisioning_and_power(provisioning, codes, state):
    statuses = [{"code": code} for code in codes]
    assert facts.state_of({"provisioningState": provisioning, "instanceView": {"statuses": statuses}}) is state


async def test_a_size_that_azure_does_not_sell_as_spot_is_refused_by_its_field_before_anything_is_made(account, cloud):
    wanted = spec(capacity_type=CapacityType.SPOT)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.machines.create(account.region, wanted)
    assert (caught.value.field, account.machines_with(wanted.token)) == ("instance_type", [])

"""What we send has the properties that the SDK's models have, with those that must be there."""

import pytest
from azure.core import MatchConditions

from shared.clouds.models import CapacityType, ImageSpec, MachineSpec, SnapshotSpec, VolumeSpec
from tests.fixtures.azure_models import problems
from tests.fixtures.lazily import Lazily
from tests.shared.clouds.account_under_test import new_token

compute = Lazily("azure.mgmt.compute.models")
network = Lazily("azure.mgmt.network.models")
resources = Lazily("azure.mgmt.resource.resources.models")

pytestmark = pytest.mark.anyio

MODELS = {
    "disks.begin_create_or_update": (compute, "Disk"),
    "images.begin_create_or_update": (compute, "Image"),
    "network_security_groups.begin_create_or_update": (network, "NetworkSecurityGroup"),
    "resource_groups.create_or_update": (resources, "ResourceGroup"),
    "snapshots.begin_create_or_update": (compute, "Snapshot"),
    "ssh_public_keys.create": (compute, "SshPublicKeyResource"),
    "ssh_public_keys.update": (compute, "SshPublicKeyUpdateResource"),
    "tags.begin_update_at_scope": (resources, "TagsPatchResource"),
    "virtual_machines.begin_attach_detach_data_disks": (compute, "AttachDetachDataDisksRequest"),
    "virtual_machines.begin_create_or_update": (compute, "VirtualMachine"),
    "virtual_machines.begin_update": (compute, "VirtualMachineUpdate"),
    "virtual_networks.begin_create_or_update": (network, "VirtualNetwork"),
}
REGION = "koreacentral"  # no other test makes anything here


@pytest.fixture
def sent(cloud):
    """Every body that goes out, by operation, and the named arguments."""
    client, found = cloud._client, []
    call = client.call

    async def recording(service, operation, *arguments, **named):
        found.extend((operation, each, named) for each in arguments if isinstance(each, dict))
        return await call(service, operation, *arguments, **named)

    client.call = recording
    return found


async def test_every_body_fits_its_model(cloud, simulated_azure, sent):
    machine = await cloud.machines.create(REGION, MachineSpec(new_token(), "Standard_B1s", root_volume_gib=40))
    simulated_azure.advance()
    machine = await cloud.machines.get(REGION, machine.id)
    snapshot = await cloud.snapshots.create(REGION, SnapshotSpec(new_token(), machine.root_volume_id))
    simulated_azure.advance()
    copy = await cloud.snapshots.copy(REGION, snapshot.id, "eastus", token=new_token(), tags={})
    assert copy.volume_id is None
    image = await cloud.images.register(REGION, ImageSpec(new_token(), snapshot.id, "x86_64", "/dev/sda"))
    wall = await cloud.networks.create_isolated_group(REGION, token=new_token(), tags={}, description="drill")
    volume = await cloud.volumes.create_from_snapshot(REGION, VolumeSpec(new_token(), machine.zone, snapshot.id))
    simulated_azure.advance()
    await cloud.volumes.attach(REGION, volume.id, machine.id, "/dev/sdc")
    await cloud.volumes.detach(REGION, volume.id)
    await cloud.machines.tag(REGION, machine.id, {"Name": "web"})
    await cloud.machines.stop(REGION, machine.id)
    simulated_azure.advance()
    await cloud.machines.resize(REGION, machine.id, "Standard_B2s")
    restored = MachineSpec(
        new_token(), "Standard_D2s_v5", image=image.id, security_groups=(wall.id,), capacity_type=CapacityType.SPOT
    )
    await cloud.machines.create(REGION, restored)

    assert {operation for operation, _, _ in sent} == set(MODELS)
    for operation, body, _ in sent:
        models, name = MODELS[operation]
        assert problems(getattr(models, name), body) == [], operation
    creates = [named for operation, _, named in sent if operation == "virtual_machines.begin_create_or_update"]
    assert [named["match_condition"] for named in creates] == [MatchConditions.IfMissing] * 2

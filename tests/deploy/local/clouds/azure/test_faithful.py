"""Every answer has the fields that the SDK's models need, and none that they do not know."""

import pytest

from tests.deploy.local.clouds.azure.conftest import REGION, machine_body
from tests.fixtures.azure_models import problems
from tests.fixtures.lazily import Lazily

compute = Lazily("azure.mgmt.compute.models")
network = Lazily("azure.mgmt.network.models")
resources = Lazily("azure.mgmt.resource.resources.models")
subscriptions = Lazily("azure.mgmt.resource.subscriptions.models")


@pytest.fixture
def whole(azure, sdk, group):
    """One of everything."""
    name = "faithful"
    sdk.network.network_security_groups.begin_create_or_update(
        group, name, {"location": REGION, "properties": {"securityRules": []}}, polling=False
    ).result()
    sdk.compute.virtual_machines.begin_create_or_update(
        group, name, machine_body(sdk, group, name, zones=["1"]), polling=False
    ).result()
    azure.advance()
    root = sdk.compute.virtual_machines.get(group, name).properties.storage_profile.os_disk.managed_disk.id
    copy = {"creationData": {"createOption": "Copy", "sourceResourceId": root}, "incremental": True}
    sdk.compute.snapshots.begin_create_or_update(
        group, name, {"location": REGION, "properties": copy}, polling=False
    ).result()
    azure.advance()
    snapshot = sdk.compute.snapshots.get(group, name)
    disk = {"osType": "Linux", "osState": "Specialized", "snapshot": {"id": snapshot.id}}
    sdk.compute.images.begin_create_or_update(
        group, name, {"location": REGION, "properties": {"storageProfile": {"osDisk": disk}}}, polling=False
    ).result()
    key = {"location": REGION, "properties": {"publicKey": "ssh-rsa AAAA"}}
    sdk.compute.ssh_public_keys.create(group, name, key)
    return name, root.rpartition("/")[2]


def test_answers_fit_the_models(sdk, group, whole):
    name, root = whole
    compute_, network_ = sdk.compute, sdk.network
    vm = compute_.virtual_machines.get(group, name, expand="instanceView")
    location = next(iter(sdk.subscriptions.subscriptions.list_locations(sdk.subscription_id)))
    for kind, answer in (
        (compute.VirtualMachine, vm),
        (compute.VirtualMachine, next(iter(compute_.virtual_machines.list_all(status_only="true")))),
        (compute.Disk, compute_.disks.get(group, root)),
        (compute.Snapshot, compute_.snapshots.get(group, name)),
        (compute.Image, compute_.images.get(group, name)),
        (compute.SshPublicKeyResource, compute_.ssh_public_keys.get(group, name)),
        (compute.ResourceSku, next(iter(compute_.resource_skus.list(filter=f"location eq '{REGION}'")))),
        (compute.Usage, next(iter(compute_.usage.list(REGION)))),
        (network.VirtualNetwork, network_.virtual_networks.get(group, "hall")),
        (network.NetworkInterface, network_.network_interfaces.get(group, f"{name}-nic")),
        (network.PublicIPAddress, network_.public_ip_addresses.get(group, f"{name}-ip")),
        (network.NetworkSecurityGroup, network_.network_security_groups.get(group, name)),
        (resources.ResourceGroup, sdk.resources.resource_groups.get(group)),
        (subscriptions.Location, location),
        (subscriptions.Subscription, sdk.subscriptions.subscriptions.get(sdk.subscription_id)),
    ):
        assert problems(kind, answer.as_dict()) == [], kind.__name__


def test_the_check_sees_what_is_wrong():
    assert problems(compute.VirtualMachine, {"tags": {}}) == ["/location is missing"]
    wrong = {"location": "x", "properties": {"hardwareProfil": {}, "storageProfile": {"osDisk": {"caching": "None"}}}}
    assert problems(compute.VirtualMachine, wrong) == [
        "/properties/hardwareProfil is unknown", "/properties/storageProfile/osDisk/createOption is missing",
    ]  # fmt: skip


def test_enumerated_values_are_azure_s(sdk, group, whole):
    name, root = whole
    disk, vm = sdk.compute.disks.get(group, root), sdk.compute.virtual_machines.get(group, name)
    assert disk.properties.disk_state in list(compute.DiskState)
    assert disk.properties.creation_data.create_option in list(compute.DiskCreateOption)
    assert vm.properties.storage_profile.os_disk.delete_option in list(compute.DiskDeleteOptionTypes)
    for rule in sdk.network.network_security_groups.get(group, name).properties.default_security_rules:
        assert rule.properties.access in list(network.SecurityRuleAccess)
        assert rule.properties.direction in list(network.SecurityRuleDirection)

"""What is a machine of an estate at Azure?"""

from __future__ import annotations

import uuid

from deploy.local.clouds.azure import disks, machines, networks, paths, subscription
from deploy.local.clouds.estate import Planned
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.provider import Call
from deploy.local.clouds.world.things import MACHINE, VOLUME, Thing

REGIONS = ("eastus", "westeurope", "southeastasia")
_SIZES = ("Standard_B1ms", "Standard_D2s_v5", "Standard_D4s_v5", "Standard_E4s_v5")
_IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
_KEY = {"path": "/home/operations/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA operations"}
_NETWORK, _GROUP = "estate-network", "estate-security"


def plant(gardener: Gardener, planned: Planned) -> Thing:
    """In the resource group of its location, with interface, address and disks."""
    location = planned.pick(REGIONS)
    path = {"sub": gardener.account_id, "rg": f"estate-{location}", "name": planned.name}
    _prepare(gardener, path, location, planned.created_s)
    call = gardener.call(_body(path, location, planned), path, location, planned.created_s)
    made = machines.put(call)
    machine = call.need(MACHINE, made.result_ids[0])
    machine.settle(planned.created_s)
    machine.facts["properties"]["vmId"] = str(uuid.uuid5(uuid.NAMESPACE_OID, machine.id))
    for number, size_gib in enumerate(planned.volumes_gib):
        _attach(gardener, path, planned, number, size_gib)
    return machine


def _prepare(gardener: Gardener, path: dict[str, str], location: str, now_s: float) -> None:
    """Resource group, network and security group, once for a location."""
    first = gardener.call({"location": location}, path, location, now_s)
    if first.get(paths.RESOURCE_GROUP, path["rg"].lower()) is not None:
        return
    subscription.put_group(first)
    space = {"addressSpace": {"addressPrefixes": ["10.32.0.0/16"]}}
    subnets = {"subnets": [{"name": "default", "properties": {"addressPrefix": "10.32.0.0/16"}}]}
    document = {"location": location, "properties": space | subnets}
    networks.put_network(gardener.call(document, path | {"name": _NETWORK}, location, now_s))
    networks.put_group(gardener.call({"location": location}, path | {"name": _GROUP}, location, now_s))


def _body(path: dict[str, str], location: str, planned: Planned) -> dict[str, object]:
    base = f"/subscriptions/{path['sub']}/resourceGroups/{path['rg']}/providers"
    address = {"name": f"{planned.name}-address", "sku": {"name": "Standard"}}
    configuration = {
        "name": "primary",
        "properties": {
            "subnet": {"id": f"{base}/{networks.NETWORK}/{_NETWORK}/subnets/default"},
            "publicIPAddressConfiguration": address,
        },
    }
    interface = {
        "name": f"{planned.name}-interface",
        "properties": {
            "networkSecurityGroup": {"id": f"{base}/{networks.SECURITY_GROUP}/{_GROUP}"},
            "ipConfigurations": [configuration],
        },
    }
    return {
        "location": location,
        "tags": dict(planned.tags),
        "properties": {
            "hardwareProfile": {"vmSize": _SIZES[planned.size]},
            "storageProfile": {
                "imageReference": _IMAGE,
                "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": {
                "computerName": planned.name,
                "adminUsername": "operations",
                "linuxConfiguration": {"ssh": {"publicKeys": [_KEY]}},
            },
            "networkProfile": {"networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": [interface]},
        },
    }


def _attach(gardener: Gardener, path: dict[str, str], planned: Planned, lun: int, size_gib: int) -> None:
    location, name = planned.pick(REGIONS), f"{planned.name}-data-{lun}"
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": size_gib}
    document = {"location": location, "tags": dict(planned.tags), "properties": properties}
    call: Call = gardener.call(document, path | {"name": name}, location, planned.created_s)
    disk = disks.put_disk(call).result_ids[0]
    call.need(VOLUME, disk).settle(planned.created_s)
    wanted = {"dataDisksToAttach": [{"diskId": disk, "lun": lun}]}
    machines.attach_and_detach(gardener.call(wanted, path, location, planned.created_s))

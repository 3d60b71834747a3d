"""What does a virtual machine's JSON say, in our words?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.errors import from_answer
from shared.clouds.azure.receipts import Receipt
from shared.clouds.azure.sizes import architecture_of
from shared.clouds.errors import CloudError
from shared.clouds.models import TOKEN_TAG, AttachedVolume, CapacityType, Machine, MachineState

ROOT_DEVICE = "/dev/sda"
_FIRST_DATA_LETTER = ord("c")
_LETTERS_MAX = 24
"""Linux on Azure shows the system's disk as sda, the temporary one as sdb, and the disk at LUN 0 as sdc."""

_POWER: Mapping[str, MachineState] = {
    "starting": MachineState.PENDING,
    "running": MachineState.RUNNING,
    "stopping": MachineState.STOPPING,
    "deallocating": MachineState.STOPPING,
    "stopped": MachineState.STOPPED,
    "deallocated": MachineState.STOPPED,
}


_SPOT = ("Spot", "SpotPlus", "Low")
"""models.VirtualMachinePriorityTypes; Low is what Spot was called first."""


def machine_of(vm: Mapping[str, Any], network: Mapping[str, Any]) -> Machine:
    """`vm` with its instance view, and what `network_of` says of its interface; empty without one."""
    properties = vm["properties"]
    tags = vm.get("tags") or {}
    created = properties.get("timeCreated")
    return Machine(
        id=names.canonical(vm["id"]),
        state=state_of(properties),
        instance_type=properties["hardwareProfile"]["vmSize"],
        image=tags.get(azure_tags.MADE_FROM_TAG) or _image(properties["storageProfile"].get("imageReference") or {}),
        region=vm["location"],
        zone=zone_of(vm),
        tags=azure_tags.from_azure(tags),
        launched_at=None if created is None else datetime.fromisoformat(created).astimezone(UTC),
        state_reason=_reason(properties),
        failure=_failure(properties),
        architecture=architecture_of(properties["hardwareProfile"]["vmSize"]),
        root_device_name=None if _is_windows(properties["storageProfile"]) else ROOT_DEVICE,
        volumes=attached_of(properties["storageProfile"]),
        capacity_type=CapacityType.SPOT if properties.get("priority") in _SPOT else CapacityType.ON_DEMAND,
        **network,
    )


def terminated(region: str, machine_id: str, receipt: Receipt) -> Machine:
    """What the receipt knows of a machine that is gone."""
    return Machine(
        id=machine_id,
        state=MachineState.TERMINATED,
        instance_type=receipt.instance_type,
        image=receipt.image,
        region=region,
        zone=receipt.zone,
        tags={TOKEN_TAG: receipt.token},
        launched_at=receipt.made_at,
    )


def state_of(properties: Mapping[str, Any]) -> MachineState:
    """Provisioning before power: a machine that is being made may show as running long before it is.

    One whose creation failed has no power state, is not billed, and only deleting it helps: it is shutting down.
    """
    provisioning = properties.get("provisioningState", "")
    if provisioning == "Deleting":
        return MachineState.SHUTTING_DOWN
    if provisioning == "Creating":
        return MachineState.PENDING
    power = power_of(properties)
    if power is None:
        return MachineState.SHUTTING_DOWN if provisioning == "Failed" else MachineState.PENDING
    return _POWER.get(power, MachineState.PENDING)


def power_of(properties: Mapping[str, Any]) -> str | None:
    """`running`, `deallocated`…; None when Azure shows no power state."""
    for status in (properties.get("instanceView") or {}).get("statuses") or []:
        kind, _, value = status["code"].partition("/")
        if kind == "PowerState":
            return str(value)
    return None


def zone_of(thing: Mapping[str, Any]) -> str:
    """What stands in no zone stands in its region as a whole, by whose name the zone is then called."""
    zones = thing.get("zones") or []
    return str(zones[0]) if zones else str(thing["location"])


def zones_for(region: str, zone: str | None) -> list[str]:
    """The `zones` of a body; none for the region as a whole."""
    return [] if zone in {None, "", region} else [str(zone)]


def device_of(lun: int) -> str:
    return f"/dev/sd{chr(_FIRST_DATA_LETTER + lun)}" if lun < _LETTERS_MAX else f"lun{lun}"


def lun_of(device_name: str) -> int | None:
    """None for what is no place for a data disk."""
    if device_name.startswith("lun") and device_name[3:].isdecimal():
        return int(device_name[3:])
    found = re.fullmatch(r"/dev/sd([c-z])", device_name)
    return None if found is None else ord(found[1]) - _FIRST_DATA_LETTER


def attached_of(storage: Mapping[str, Any]) -> tuple[AttachedVolume, ...]:
    """The system's disk, then the others by LUN; none while Azure has not named it yet."""
    root = (storage.get("osDisk") or {}).get("managedDisk") or {}
    data = sorted(storage.get("dataDisks") or [], key=lambda each: int(each["lun"]))
    found = [(root.get("id"), ROOT_DEVICE)]
    found += [((each.get("managedDisk") or {}).get("id"), device_of(int(each["lun"]))) for each in data]
    return tuple(AttachedVolume(names.canonical(disk), device) for disk, device in found if disk)


def interface_ids(vm: Mapping[str, Any]) -> list[str]:
    """The primary interface first."""
    listed = (vm["properties"].get("networkProfile") or {}).get("networkInterfaces") or []
    ordered = sorted(listed, key=lambda each: not (each.get("properties") or {}).get("primary", False))
    return [names.canonical(each["id"]) for each in ordered]


def network_of(interface: Mapping[str, Any] | None, addresses: Mapping[str, str]) -> dict[str, Any]:
    """Where an interface stands, with `addresses`: public ones by their resource's id; empty when there is none."""
    if interface is None:
        return {}
    properties = interface["properties"]
    first = (properties.get("ipConfigurations") or [{}])[0].get("properties") or {}
    public = first.get("publicIPAddress") or {}
    group = (properties.get("networkSecurityGroup") or {}).get("id")
    subnet = (first.get("subnet") or {}).get("id")
    return {
        "private_ip": first.get("privateIPAddress") or None,
        "public_ip": (public.get("properties") or {}).get("ipAddress")
        or addresses.get(names.canonical(public.get("id") or "").lower()),
        "subnet_id": None if subnet is None else names.canonical(subnet),
        "network_id": None if subnet is None else names.network_of(subnet),
        "security_groups": () if group is None else (names.canonical(group),),
    }


def _is_windows(storage: Mapping[str, Any]) -> bool:
    """There a disk has no device name."""
    return str((storage.get("osDisk") or {}).get("osType", "")).lower() == "windows"


def _image(reference: Mapping[str, Any]) -> str:
    if reference.get("id"):
        return names.canonical(str(reference["id"]))
    version = reference.get("exactVersion") or reference.get("version")
    parts = (reference.get("publisher"), reference.get("offer"), reference.get("sku"), version)
    return ":".join(str(part) for part in parts) if all(parts) else ""


def _reason(properties: Mapping[str, Any]) -> str | None:
    wrong = _error_in(properties)
    return None if wrong is None else ": ".join(wrong)


def _failure(properties: Mapping[str, Any]) -> CloudError | None:
    """Of a machine whose creation failed; one that serves may show the error of a later change."""
    wrong = _error_in(properties)
    if wrong is None or properties.get("provisioningState") != "Failed" or power_of(properties) is not None:
        return None
    document = {"error": dict(zip(("code", "message"), wrong, strict=True))}
    return from_answer(0, document, {}, operation="virtual_machines.create_or_update")


def _error_in(properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """Code and message of what the instance view calls an error."""
    for status in (properties.get("instanceView") or {}).get("statuses") or []:
        if status.get("level") == "Error":
            code = str(status["code"].rpartition("/")[2])
            return code, str(status.get("message") or status.get("displayStatus") or code)
    return None

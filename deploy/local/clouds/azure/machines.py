"""How does a virtual machine live: made, read, started, deallocated, resized, given disks, deleted?"""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.disks import DISK
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.networks import INTERFACE, addresses_of, make_interface
from deploy.local.clouds.azure.operations import accepted, time_text
from deploy.local.clouds.azure.orders import Root, read_order
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.lives import resized, switched
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

VIRTUAL_MACHINE = "Microsoft.Compute/virtualMachines"
DELETED = "deleted"
"""The controls still see a deleted machine; the API does not."""

_PROVISIONING = {
    "creating": "Creating", "starting": "Updating", "deallocating": "Updating", "stopping": "Updating",
    "deleting": "Deleting", "failed": "Failed",
}  # fmt: skip
_POWERED = ("starting", "running", "deallocating", "deallocated", "stopping", "stopped")
_PAID_FOR = {"running": True, "deallocated": False}
"""A stopped one has its host still, and is paid for (learn.microsoft.com/azure/virtual-machines/states-billing)."""
_ALLOCATION_FAILED = {
    "code": "AllocationFailed",
    "message": "Allocation failed. We do not have sufficient capacity for the requested VM size in this region.",
}


def actions() -> list[Action]:
    path = paths.in_group(VIRTUAL_MACHINE)
    everywhere = paths.in_subscription(VIRTUAL_MACHINE)
    in_location = paths.in_subscription("Microsoft.Compute") + "/locations/{location}/virtualMachines"
    return [
        Action("PUT", path, "virtual_machines.create_or_update", put),
        Action("GET", path, "virtual_machines.get", _get),
        Action("GET", path + "/instanceView", "virtual_machines.instance_view",
               lambda call: Answer(200, _instance_view(_need(call)))),
        Action("PATCH", path, "virtual_machines.update", _patch),
        Action("DELETE", path, "virtual_machines.delete", _delete),
        Action("POST", path + "/start", "virtual_machines.start",
               lambda call: _power(call, "starting", "running", ("deallocated", "stopped"))),
        Action("POST", path + "/deallocate", "virtual_machines.deallocate",
               lambda call: _power(call, "deallocating", "deallocated", ("running", "stopped"))),
        Action("POST", path + "/powerOff", "virtual_machines.power_off",
               lambda call: _power(call, "stopping", "stopped", ("running",))),
        Action("POST", path + "/attachDetachDataDisks", "virtual_machines.attach_detach_data_disks", attach_and_detach),
        Action("GET", everywhere, "virtual_machines.list_all", _list),
        Action("GET", in_location, "virtual_machines.list_by_location", _list),
    ]  # fmt: skip


def living(call: Call, identifier: str) -> Thing | None:
    """The machine unless it was deleted."""
    known = call.get(MACHINE, identifier)
    return None if known is None or known.state == DELETED else known


def _need(call: Call) -> Thing:
    paths.need_group(call)
    known = living(call, paths.id_of(call, VIRTUAL_MACHINE))
    if known is None:
        raise Refusal(
            "not_found", f"The Resource '{VIRTUAL_MACHINE}/{call.path['name']}' under resource group "
            f"'{call.path['rg']}' was not found.",
        )  # fmt: skip
    return known


def put(call: Call) -> Answer:
    group, identifier = paths.need_group(call), paths.id_of(call, VIRTUAL_MACHINE)
    known = living(call, identifier)
    if known is not None:
        return _put_again(call, known)
    order = read_order(call, group.region)
    _set_aside(call, identifier)
    ready_s = call.later()
    interfaces = [make_interface(call, identifier, each, ready_s) for each in order.interfaces]
    disk = order.root.disk(call, identifier, ready_s)
    facts = {
        "tags": order.tags,
        "zones": order.zones,
        "properties": {
            "vmId": str(uuid.uuid4()),
            "hardwareProfile": {"vmSize": order.size.name},
            "storageProfile": {
                **({"imageReference": order.root.image} if order.root.image else {}),
                "osDisk": _root_of(order.root, disk),
                "dataDisks": [],
            },
            **({"osProfile": order.profile} if order.profile else {}),
            **order.priority,
            "networkProfile": {
                "networkInterfaces": [
                    {"id": each.id, "properties": {"primary": True, "deleteOption": "Delete"}} for each in interfaces
                ]
            },
        },
    }
    end = "failed" if call.fails_operation else "running"
    made = call.new(MACHINE, identifier, "creating", facts, region=group.region, steps=[(ready_s, end)],
                    token=order.tags.get("canopy:token"))  # fmt: skip
    return accepted(call, 201, document(made), ready_s, result_ids=[identifier], error=_ALLOCATION_FAILED)


def _put_again(call: Call, known: Thing) -> Answer:
    """A PUT over what is there changes it, unless the caller forbade that."""
    if call.http.headers.get("if-none-match") == "*":
        raise Refusal("conflict", "The resource already exists.", code="PreconditionFailed", status=412)
    body = call.document()
    if "tags" in body:
        known.facts["tags"] = checked(body["tags"])
    call.save(known)
    return accepted(call, 200, document(known), call.now_s, result_ids=[known.id], repeated=True)


def _set_aside(call: Call, identifier: str) -> None:
    """File a deleted machine of this name under another id: the controls go on to list both."""
    old = call.get(MACHINE, identifier)
    if old is not None:
        call.things.remove(old)
        old.id = f"{identifier}#{old.facts['properties']['vmId']}"
        call.save(old)


def _root_of(root: Root, disk: Thing) -> dict[str, Any]:
    return {
        "osType": "Linux",
        "name": paths.name_of(disk.id),
        "createOption": "FromImage" if root.image else "Attach",
        "caching": "ReadWrite",
        "managedDisk": {"id": disk.id, "storageAccountType": disk.facts["sku"]["name"]},
        "deleteOption": root.delete_option,
        "diskSizeGB": disk.facts["properties"]["diskSizeGB"],
    }


def document(thing: Thing, *, view: bool = False) -> dict[str, Any]:
    """A machine as it is answered, with its instance view if asked for."""
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": VIRTUAL_MACHINE,
        "location": thing.region,
        "tags": thing.facts["tags"],
        **({"zones": thing.facts["zones"]} if thing.facts["zones"] else {}),
        "etag": f'"{thing.number}"',
        "properties": {
            **thing.facts["properties"],
            "provisioningState": _PROVISIONING.get(thing.state, "Succeeded"),
            "timeCreated": time_text(thing.created_s),
            **({"instanceView": _instance_view(thing)} if view else {}),
        },
    }


def _instance_view(thing: Thing) -> dict[str, Any]:
    provisioning = _PROVISIONING.get(thing.state, "Succeeded").lower()
    status: dict[str, Any] = {"level": "Info", "displayStatus": f"Provisioning {provisioning}"}
    status["code"] = f"ProvisioningState/{provisioning}"
    if thing.state == "failed":
        status["code"] += f"/{_ALLOCATION_FAILED['code']}"
        status |= {"level": "Error", "message": _ALLOCATION_FAILED["message"]}
    statuses = [status]
    if thing.state in _POWERED:
        power = {"code": f"PowerState/{thing.state}", "level": "Info", "displayStatus": f"VM {thing.state}"}
        statuses.append(power)
    return {"statuses": statuses}


def _get(call: Call) -> Answer:
    return Answer(200, document(_need(call), view=call.query.get("$expand") == "instanceView"))


def _list(call: Call) -> Answer:
    """Of all locations or of one; `statusOnly` shows the states and not much else."""
    only = call.query.get("statusOnly") == "true"
    found = [each for each in call.list(MACHINE, call.path.get("location")) if each.state != DELETED]
    return page(call, found, _status_only if only else document)


def _status_only(thing: Thing) -> dict[str, Any]:
    whole = document(thing, view=True)
    kept = {name: whole["properties"][name] for name in ("vmId", "instanceView", "provisioningState")}
    return {**{name: whole[name] for name in ("id", "name", "type", "location")}, "properties": kept}


def _power(call: Call, doing: str, done: str, before: tuple[str, ...]) -> Answer:
    """Nothing to do when it is there or on its way; another change under way refuses."""
    thing = _need(call)
    if thing.state in {doing, done}:
        return accepted(call, 202, None, call.now_s, result_ids=[thing.id], repeated=True)
    if thing.state not in before:
        raise Refusal("wrong_state", f"The operation is not allowed while the VM '{thing.id}' is {thing.state}.")
    end = thing.state if call.fails_operation else done
    if not call.fails_operation and done in _PAID_FOR:
        switched(thing, call.later() if done == "deallocated" else call.now_s, on=_PAID_FOR[done])
    thing.turn(doing, (call.later(), end))
    call.save(thing)
    return accepted(call, 202, None, call.later(), result_ids=[thing.id], error=_ALLOCATION_FAILED)


def _patch(call: Call) -> Answer:
    """Tags and size. A running machine is given its new size too, by a restart."""
    thing, body = _need(call), call.document()
    if "tags" in body:
        thing.facts["tags"] = checked(body["tags"])
    size = ((body.get("properties") or {}).get("hardwareProfile") or {}).get("vmSize")
    if size is not None:
        if thing.state not in {"running", "stopped", "deallocated"}:
            raise Refusal("wrong_state", f"The size cannot be changed while the VM is {thing.state}.")
        is_spot = "priority" in thing.facts["properties"]
        from_order = read_order(call, thing.region, only_size=size, is_spot=is_spot)
        resized(thing, call.now_s, thing.facts["properties"]["hardwareProfile"]["vmSize"])
        thing.facts["properties"]["hardwareProfile"] = {"vmSize": from_order.size.name}
    call.save(thing)
    return accepted(call, 200, document(thing), call.now_s, result_ids=[thing.id])


def _delete(call: Call) -> Answer:
    """With the machine goes what is marked so: here its interfaces and addresses always, a disk by its option."""
    paths.need_group(call)
    thing = living(call, paths.id_of(call, VIRTUAL_MACHINE))
    if thing is None:
        return Answer(204)
    due_s = call.later()
    thing.turn("deleting", (due_s, DELETED))
    thing.facts["gone_s"] = due_s
    call.save(thing)
    profile = thing.facts["properties"]["storageProfile"]
    for each in (profile["osDisk"], *profile["dataDisks"]):
        disk = call.get(VOLUME, each["managedDisk"]["id"])
        if disk is not None and each.get("deleteOption") == "Delete":
            disk.turn(disk.state, (due_s, GONE))
            call.save(disk)
        elif disk is not None:
            disk.facts["managedBy"] = None
            call.save(disk)
    for each in thing.facts["properties"]["networkProfile"]["networkInterfaces"]:
        interface = call.get(INTERFACE, each["id"])
        for part in [] if interface is None else [interface, *addresses_of(call, interface)]:
            part.turn("deleting", (due_s, GONE))
            call.save(part)
    return accepted(call, 202, None, due_s, result_ids=[thing.id])


def attach_and_detach(call: Call) -> Answer:
    thing, body = _need(call), call.document()
    disks: list[dict[str, Any]] = thing.facts["properties"]["storageProfile"]["dataDisks"]
    for wanted in body.get("dataDisksToDetach") or []:
        disk = next((each for each in disks if each["managedDisk"]["id"] == wanted.get("diskId")), None)
        if disk is None:
            raise Refusal("invalid", "The disk to detach is not attached.", field="dataDisksToDetach")
        disks.remove(disk)
        _managed_by(call, wanted["diskId"], None)
    for wanted in body.get("dataDisksToAttach") or []:
        disks.append(_attached(call, thing, wanted))
        _managed_by(call, wanted["diskId"], thing.id)
    call.save(thing)
    return accepted(call, 202, None, call.now_s, result_ids=[thing.id])


def _attached(call: Call, thing: Thing, wanted: dict[str, Any]) -> dict[str, Any]:
    disk = call.get(VOLUME, str(wanted.get("diskId")))
    if disk is None:
        raise Refusal("not_found", f"The Resource '{DISK}/{wanted.get('diskId')}' was not found.")
    if disk.facts.get("managedBy"):
        message = f"Disk {disk.id} is attached to VM {disk.facts['managedBy']}."
        raise Refusal("conflict", message, code="AttachDiskWhileBeingDetached")
    if any(each["lun"] == wanted.get("lun") for each in thing.facts["properties"]["storageProfile"]["dataDisks"]):
        raise Refusal("invalid", f"The LUN {wanted.get('lun')} is already in use.", field="lun")
    if sorted(disk.facts.get("zones") or []) != sorted(thing.facts["zones"]):
        raise Refusal("invalid", "The zones of disk and virtual machine differ.", code="BadRequest", field="zones")
    return {
        "lun": wanted.get("lun", 0),
        "name": paths.name_of(disk.id),
        "createOption": "Attach",
        "caching": wanted.get("caching", "None"),
        "managedDisk": {"id": disk.id, "storageAccountType": disk.facts["sku"]["name"]},
        "deleteOption": wanted.get("deleteOption", "Detach"),
        "diskSizeGB": disk.facts["properties"]["diskSizeGB"],
        "toBeDetached": False,
    }


def _managed_by(call: Call, identifier: str, machine_id: str | None) -> None:
    disk = call.get(VOLUME, identifier)
    if disk is not None:
        disk.facts["managedBy"] = machine_id
        call.save(disk)

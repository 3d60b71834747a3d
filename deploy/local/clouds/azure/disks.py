"""How do disks, their snapshots and images come and go?"""

from __future__ import annotations

from functools import partial
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.areas import AREAS
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.networks import SHORT
from deploy.local.clouds.azure.operations import accepted, time_text
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.controls import IMAGE, SNAPSHOT, VOLUME
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

DISK, DISK_SNAPSHOT, DISK_IMAGE = "Microsoft.Compute/disks", "Microsoft.Compute/snapshots", "Microsoft.Compute/images"
TYPES = {VOLUME: DISK, SNAPSHOT: DISK_SNAPSHOT, IMAGE: DISK_IMAGE}
_NAMES = {VOLUME: "disks", SNAPSHOT: "snapshots", IMAGE: "images"}


def actions() -> list[Action]:
    """PUT, GET, DELETE and the subscription's list of each of the three."""
    makers = {VOLUME: put_disk, SNAPSHOT: _put_snapshot, IMAGE: _put_image}
    found: list[Action] = []
    for kind, maker in makers.items():
        path, name = paths.in_group(TYPES[kind]), _NAMES[kind]
        found += [
            Action("PUT", path, f"{name}.create_or_update", maker),
            Action("GET", path, f"{name}.get", partial(_get, kind)),
            Action("DELETE", path, f"{name}.delete", partial(_delete, kind)),
            Action("GET", paths.in_subscription(TYPES[kind]), f"{name}.list", partial(_list, kind)),
            Action(
                "GET", paths.in_group(TYPES[kind], name=False), f"{name}.list_by_resource_group", partial(_list, kind)
            ),
        ]
    return found


def _need(call: Call, kind: str) -> Thing:
    paths.need_group(call)
    return call.need(kind, paths.id_of(call, TYPES[kind]),
                     f"The Resource '{TYPES[kind]}/{call.path['name']}' was not found.")  # fmt: skip


def _get(kind: str, call: Call) -> Answer:
    return Answer(200, document(_need(call, kind), call))


def _list(kind: str, call: Call) -> Answer:
    """Of the subscription, or of one resource group."""
    group = call.path.get("rg", "").lower()
    found = [each for each in call.list(kind) if group in {"", paths.group_of(each.id).lower()}]
    return page(call, found, lambda thing: document(thing, call))


def document(thing: Thing, call: Call) -> dict[str, Any]:
    """A disk, snapshot or image as it is answered."""
    states = {"creating": "Creating", "copying": "Succeeded", "error": "Failed"}
    properties = {**thing.facts["properties"], "provisioningState": states.get(thing.state, "Succeeded")}
    if thing.kind != IMAGE:
        properties["timeCreated"] = time_text(thing.created_s)
    if thing.kind == SNAPSHOT:
        properties["completionPercent"] = _progress(thing, call.now_s)
    if thing.kind == VOLUME:
        properties["diskState"] = "Attached" if thing.facts.get("managedBy") else "Unattached"
    more = {name: thing.facts[name] for name in ("sku", "zones", "managedBy") if thing.facts.get(name)}
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": TYPES[thing.kind],
        "location": thing.region,
        "tags": thing.facts["tags"],
        **more,
        "properties": properties,
    }


def _progress(thing: Thing, now_s: float) -> float:
    if not thing.steps:
        return 100.0 if thing.state == "ready" else 0.0
    whole = thing.steps[-1][0] - thing.created_s
    return round(min(99.0, 100 * (now_s - thing.created_s) / whole), 1) if whole > 0 else 0.0


def _source(call: Call, creation: dict[str, Any]) -> Thing:
    """What a disk or snapshot is copied from: a disk or a snapshot, which must be whole."""
    identifier = str(creation.get("sourceResourceId") or "")
    source = call.get(SNAPSHOT, identifier) or call.get(VOLUME, identifier)
    if source is None:
        raise Refusal("not_found", f"The Resource '{identifier}' was not found.")
    if source.kind == SNAPSHOT and source.state != "ready":
        raise Refusal("wrong_state", f"The snapshot {identifier} is not ready: its copy has not completed.")
    return source


def put_disk(call: Call) -> Answer:
    group, body = paths.need_group(call), call.document()
    identifier = paths.id_of(call, DISK)
    known = call.get(VOLUME, identifier)
    if known is not None:
        known.facts["tags"] = checked(body.get("tags"))
        return accepted(call, 200, document(call.save(known), call), call.now_s, result_ids=[identifier], repeated=True)
    properties = body.get("properties") or {}
    creation = properties.get("creationData") or {}
    zones = body.get("zones") or []
    if set(zones) - set(AREAS[group.region].zone_names):
        raise Refusal("invalid", f"The zone(s) '{','.join(zones)}' are not available.", code="InvalidAvailabilityZone",
                      field="zones")  # fmt: skip
    if creation.get("createOption") == "Copy":
        source = _source(call, creation)
        if source.region != group.region:
            raise Refusal("invalid", "The source is in another location.", field="sourceResourceId")
        shape = _shape(source)
    elif creation.get("createOption") == "Empty" and properties.get("diskSizeGB"):
        shape = {"diskSizeGB": properties["diskSizeGB"]}
    else:
        raise Refusal("invalid", "Required parameter 'creationData' is wrong.", field="creationData")
    facts: dict[str, Any] = {
        "tags": checked(body.get("tags")),
        "zones": zones,
        "sku": body.get("sku") or {"name": "Standard_LRS"},
        "properties": {**shape, "creationData": creation},
    }
    made = call.new(VOLUME, identifier, "creating", facts, region=group.region, token=facts["tags"].get("canopy:token"),
                    steps=[(call.later(SHORT), "ready")])  # fmt: skip
    return accepted(call, 202, document(made, call), call.later(SHORT), result_ids=[identifier])


def _shape(source: Thing) -> dict[str, Any]:
    names = ("diskSizeGB", "osType", "hyperVGeneration", "supportedCapabilities", "encryption")
    properties = source.facts["properties"]
    return {name: properties[name] for name in names if name in properties}


def make_root(call: Call, name: str, machine_id: str, facts: dict[str, Any], ready_s: float) -> Thing:
    """The operating system's disk of a machine that is made from an image."""
    kept = {**facts, "managedBy": machine_id, "tags": {}, "sku": {"name": "StandardSSD_LRS"}}
    return call.new(VOLUME, paths.id_of(call, DISK, name), "creating", kept, steps=[(ready_s, "ready")])


def _put_snapshot(call: Call) -> Answer:
    """A copy in the same location is whole when it is made; one from another (CopyStart) fills in the background."""
    group, body = paths.need_group(call), call.document()
    identifier = paths.id_of(call, DISK_SNAPSHOT)
    known = call.get(SNAPSHOT, identifier)
    if known is not None:
        return accepted(call, 200, document(known, call), call.now_s, result_ids=[identifier], repeated=True)
    properties = body.get("properties") or {}
    creation = properties.get("creationData") or {}
    option = creation.get("createOption")
    if option not in {"Copy", "CopyStart"}:
        raise Refusal("invalid", "Required parameter 'creationData.createOption' is wrong.", field="creationData")
    source = _source(call, creation)
    if option == "Copy" and source.region != group.region:
        raise Refusal("invalid", "The source is in another location: use CopyStart.", field="sourceResourceId")
    if option == "CopyStart" and not (properties.get("incremental") and source.facts["properties"].get("incremental")):
        raise Refusal("invalid", "CopyStart is for incremental snapshots.", field="incremental")
    facts: dict[str, Any] = {
        "tags": checked(body.get("tags")),
        "sku": body.get("sku") or {"name": "Standard_LRS"},
        "properties": {**_shape(source), "incremental": bool(properties.get("incremental")), "creationData": creation},
    }
    end = "error" if call.fails_operation else "ready"
    state = "creating" if option == "Copy" else "copying"
    made = call.new(SNAPSHOT, identifier, state, facts, region=group.region, token=facts["tags"].get("canopy:token"),
                    steps=[(call.later(), end)])  # fmt: skip
    return accepted(call, 202, document(made, call), call.later(), result_ids=[identifier])


def _put_image(call: Call) -> Answer:
    group, body = paths.need_group(call), call.document()
    identifier = paths.id_of(call, DISK_IMAGE)
    root = ((body.get("properties") or {}).get("storageProfile") or {}).get("osDisk") or {}
    known = call.get(IMAGE, identifier)
    if known is not None:
        if known.facts["properties"]["storageProfile"]["osDisk"].get("snapshot") != root.get("snapshot"):
            raise Refusal("conflict", "Changing property 'osDisk.snapshot' is not allowed.",
                          code="PropertyChangeNotAllowed")  # fmt: skip
        return accepted(call, 200, document(known, call), call.now_s, result_ids=[identifier], repeated=True)
    snapshot = call.get(SNAPSHOT, str((root.get("snapshot") or {}).get("id") or ""))
    if snapshot is None or snapshot.region != group.region:
        raise Refusal("not_found", "The snapshot of the image was not found.")
    if snapshot.state != "ready":
        raise Refusal("wrong_state", f"The snapshot {snapshot.id} is not ready.")
    if not root.get("osType") or not root.get("osState"):
        raise Refusal("invalid", "Required parameter 'osDisk.osType' or 'osDisk.osState' is missing.", field="osDisk")
    size = snapshot.facts["properties"]["diskSizeGB"]
    facts: dict[str, Any] = {
        "tags": checked(body.get("tags")),
        "properties": {
            "hyperVGeneration": body["properties"].get("hyperVGeneration", "V1"),
            "storageProfile": {"osDisk": {"diskSizeGB": size, **root}, "dataDisks": []},
        },
    }
    made = call.new(IMAGE, identifier, "creating", facts, region=group.region, token=facts["tags"].get("canopy:token"),
                    steps=[(call.later(), "ready")])  # fmt: skip
    return accepted(call, 201, document(made, call), call.later(), result_ids=[identifier])


def _delete(kind: str, call: Call) -> Answer:
    known = call.get(kind, paths.id_of(call, TYPES[kind]))
    if known is None:
        return Answer(204)
    if known.facts.get("managedBy"):
        raise Refusal("wrong_state", f"Disk {known.id} is attached to VM {known.facts['managedBy']}.")
    call.things.remove(known)
    return accepted(call, 202, None, call.now_s, result_ids=[known.id])

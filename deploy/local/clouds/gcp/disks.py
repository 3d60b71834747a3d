"""What do persistent disks of the simulated Google Cloud do?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp.errors import already_exists, in_use, invalid, not_found, not_ready
from deploy.local.clouds.gcp.images import image_at
from deploy.local.clouds.gcp.lists import aggregated, listed
from deploy.local.clouds.gcp.operations import Change, accepted, once
from deploy.local.clouds.gcp.places import all_scopes, check_zone, number_of, region_of_zone, stamp, url
from deploy.local.clouds.world.controls import SNAPSHOT, VOLUME
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}/zones/{zone}/disks"
    return [
        Action("POST", base, "disks.insert", once(insert)),
        Action("GET", base, "disks.list", list_disks),
        Action("GET", "/compute/v1/projects/{project}/aggregated/disks", "disks.aggregatedList", aggregate_disks),
        Action("GET", base + "/{disk}", "disks.get", get),
        Action("DELETE", base + "/{disk}", "disks.delete", once(delete)),
    ]


def need(call: Call, path: str) -> Thing:
    found = call.get(VOLUME, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found


def render(call: Call, thing: Thing) -> dict[str, Any]:
    zone = thing.id.split("/")[1]
    shown = {
        **thing.facts,
        "kind": "compute#disk",
        "status": thing.state,
        "zone": url(call, f"zones/{zone}"),
        "selfLink": url(call, thing.id),
        "type": url(call, f"zones/{zone}/diskTypes/pd-balanced"),
    }
    for name in ("sourceImage", "sourceSnapshot"):
        if name in shown:
            shown[name] = f"{call.http.base_url}/compute/v1/{shown[name]}"
    if shown.get("users"):
        shown["users"] = [url(call, each) for each in shown["users"]]
    return shown


def of_new_machine(call: Call, asked: Mapping[str, Any], index: int, machine: str) -> dict[str, Any]:
    """Makes or takes the disk that an instance is inserted with; answers it as the instance shows it."""
    parameters = asked.get("initializeParams")
    if parameters is None:
        disk = need(call, _relative(str(asked.get("source", ""))))
        return _attached(call, disk, asked, machine, index)
    image = image_at(
        call, str(parameters.get("sourceImage", "")), f"resource.disks[{index}].initializeParams.sourceImage"
    )
    size = int(parameters.get("diskSizeGb") or image["diskSizeGb"])
    if size < int(image["diskSizeGb"]):
        field = f"resource.disks[{index}].initializeParams.diskSizeGb"
        raise invalid(
            field, size, f"Requested disk size cannot be smaller than the image size ({image['diskSizeGb']} GB)"
        )
    zone, _, name = machine.split("/")[1:]
    body = {"name": parameters.get("diskName") or name, "labels": parameters.get("labels", {}),
            "description": parameters.get("description", "")}  # fmt: skip
    facts = _facts(call, body, zone, size) | {
        "sourceImage": image["path"],
        "sourceImageId": image["id"],
        "architecture": image["architecture"],
        "licenses": image.get("licenses", []),
    }
    disk = _made(call, zone, facts)
    return _attached(call, disk, asked, machine, index)


def attach(call: Call, machine: Thing, asked: Mapping[str, Any]) -> dict[str, Any]:
    disk = need(call, _relative(str(asked.get("source", ""))))
    path = f"projects/{call.account.account_id}/{disk.id}"
    if disk.id.split("/")[1] != machine.id.split("/")[1]:
        raise invalid("source", disk.id, "Disk must be in the same zone as the instance.")
    if disk.state != "READY":
        raise not_ready(path)
    if disk.facts.get("users"):
        raise in_use(f"disk '{path}'", disk.facts["users"][0])
    names = {each["deviceName"] for each in machine.facts["disks"]}
    if asked.get("deviceName") in names:
        raise invalid("deviceName", asked["deviceName"], "Device name is already used on this instance.")
    if asked.get("boot") and any(each["boot"] for each in machine.facts["disks"]):
        raise invalid("boot", True, "The instance has a boot disk already.")
    if asked.get("boot") and machine.state != "TERMINATED":
        raise Refusal("wrong_state", "A boot disk can only be attached to a stopped instance.", code="invalidState")
    index = 1 + max((each["index"] for each in machine.facts["disks"]), default=-1)
    return _attached(call, disk, asked, machine.id, 0 if asked.get("boot") else max(1, index))


def release(call: Call, source: str) -> None:
    """The disk is nobody's from now on."""
    disk = call.get(VOLUME, source)
    if disk is not None:
        disk.facts.pop("users", None)
        disk.facts["lastDetachTimestamp"] = stamp(call.now_s)
        call.save(disk)


def leave(call: Call, attached: Mapping[str, Any]) -> None:
    """What a machine's deletion does to one of its disks."""
    disk = call.get(VOLUME, attached["source"])
    if disk is None:
        return
    if attached["autoDelete"]:
        disk.turn("DELETING", (call.later(), GONE))
        call.save(disk)
    else:
        release(call, attached["source"])


def insert(call: Call) -> Answer:
    body, zone = call.document(), check_zone(call.path["zone"])
    path = f"zones/{zone}/disks/{body.get('name')}"
    if call.get(VOLUME, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    source = body.get("sourceSnapshot")
    if source is None:
        facts = _facts(call, body, zone, int(body.get("sizeGb") or 500))
    else:
        name = str(source).rpartition("/")[2]
        snapshot = call.get(SNAPSHOT, f"global/snapshots/{name}")
        address = f"projects/{call.account.account_id}/global/snapshots/{name}"
        if snapshot is None:
            raise not_found(address)
        if snapshot.state != "READY":
            raise not_ready(address)
        size = int(body.get("sizeGb") or snapshot.facts["diskSizeGb"])
        facts = _facts(call, body, zone, size) | {"sourceSnapshot": address, "sourceSnapshotId": snapshot.facts["id"]}
        facts["architecture"] = snapshot.facts["architecture"]
    _made(call, zone, facts)
    return accepted(call, Change("insert", path, facts["id"]))


def list_disks(call: Call) -> Answer:
    zone = check_zone(call.path["zone"])
    there = [each for each in call.list(VOLUME, region_of_zone(zone)) if each.id.startswith(f"zones/{zone}/")]
    return listed(call, "compute#diskList", f"zones/{zone}/disks", [render(call, each) for each in there])


def aggregate_disks(call: Call) -> Answer:
    scopes: dict[str, list[dict[str, Any]]] = {scope: [] for scope in all_scopes()}
    for each in sorted(call.list(VOLUME), key=lambda disk: disk.id):
        scopes["/".join(each.id.split("/")[:2])].append(render(call, each))
    return aggregated(call, "compute#diskAggregatedList", "disks", scopes)


def get(call: Call) -> Answer:
    return Answer(200, render(call, need(call, _path(call))))


def delete(call: Call) -> Answer:
    disk = need(call, _path(call))
    if disk.facts.get("users"):
        raise in_use(f"disk '{disk.id}'", disk.facts["users"][0])
    busy = (each for each in call.things.of("gcp", call.account.account_id, SNAPSHOT) if each.state == "CREATING")
    if any(each.facts["sourceDisk"] == disk.id for each in busy):
        raise not_ready(f"projects/{call.account.account_id}/{disk.id}")
    disk.turn("DELETING", (call.later(0.01), GONE))
    call.save(disk)
    return accepted(call, Change("delete", disk.id, disk.facts["id"]))


def _path(call: Call) -> str:
    return f"zones/{check_zone(call.path['zone'])}/disks/{call.path['disk']}"


def _facts(call: Call, body: Mapping[str, Any], zone: str, size_gb: int) -> dict[str, Any]:
    name = str(body.get("name", ""))
    return {
        "name": name,
        "id": number_of(zone, "disk", name, str(call.things.last_number + 1)),
        "description": str(body.get("description", "")),
        "creationTimestamp": stamp(call.now_s),
        "sizeGb": str(size_gb),
        "labels": dict(body.get("labels", {})),
        "labelFingerprint": "42WmSpB8rSM=",
        "physicalBlockSizeBytes": "4096",
        "architecture": "X86_64",
    }


def _made(call: Call, zone: str, facts: dict[str, Any]) -> Thing:
    path = f"zones/{zone}/disks/{facts['name']}"
    if call.get(VOLUME, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    steps = [(call.later(0.01), "READY")]
    return call.new(VOLUME, path, "CREATING", facts, steps=steps, region=region_of_zone(zone))


def _attached(call: Call, disk: Thing, asked: Mapping[str, Any], machine: str, index: int) -> dict[str, Any]:
    disk.facts["users"] = [machine]
    disk.facts["lastAttachTimestamp"] = stamp(call.now_s)
    call.save(disk)
    return {
        "kind": "compute#attachedDisk",
        "type": "PERSISTENT",
        "mode": str(asked.get("mode") or "READ_WRITE"),
        "source": disk.id,
        "deviceName": str(asked.get("deviceName") or f"persistent-disk-{index}"),
        "index": index,
        "boot": bool(asked.get("boot", False)),
        "autoDelete": bool(asked.get("autoDelete", False)),
        "interface": "SCSI",
        "diskSizeGb": disk.facts["sizeGb"],
        "architecture": disk.facts["architecture"],
    }


def _relative(address: str) -> str:
    """`zones/z/disks/n` of a full address."""
    return "/".join(address.split("/")[-4:])

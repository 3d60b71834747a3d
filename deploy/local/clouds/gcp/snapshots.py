"""What do snapshots of the simulated Google Cloud do? They are global, and stored in a location."""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.gcp.disks import need as need_disk
from deploy.local.clouds.gcp.errors import already_exists, invalid, not_found, not_ready
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.operations import Change, accepted, once
from deploy.local.clouds.gcp.places import REGIONS, number_of, region_of_zone, stamp, url
from deploy.local.clouds.world.controls import SNAPSHOT
from deploy.local.clouds.world.provider import Action, Answer, Call
from deploy.local.clouds.world.things import GONE, Thing

MULTI_REGIONS = ("asia", "eu", "us")


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}/global/snapshots"
    return [
        Action("POST", base, "snapshots.insert", once(insert)),
        Action("GET", base, "snapshots.list", list_snapshots),
        Action("GET", base + "/{snapshot}", "snapshots.get", get),
        Action("DELETE", base + "/{snapshot}", "snapshots.delete", once(delete)),
    ]


def need(call: Call, path: str) -> Thing:
    found = call.get(SNAPSHOT, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found


def render(call: Call, thing: Thing) -> dict[str, Any]:
    shown = {
        **thing.facts,
        "kind": "compute#snapshot",
        "status": thing.state,
        "selfLink": url(call, thing.id),
        "sourceDisk": url(call, thing.facts["sourceDisk"]),
    }
    if thing.state == "READY":
        shown |= {"storageBytes": "1073741824", "storageBytesStatus": "UP_TO_DATE"}
    return shown


def insert(call: Call) -> Answer:
    body = call.document()
    disk = need_disk(call, "/".join(str(body.get("sourceDisk", "")).split("/")[-4:]))
    path = f"global/snapshots/{body.get('name')}"
    if call.get(SNAPSHOT, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    if disk.state != "READY":
        raise not_ready(f"projects/{call.account.account_id}/{disk.id}")
    locations = [str(each) for each in body.get("storageLocations") or [region_of_zone(disk.id.split("/")[1])]]
    if len(locations) != 1 or not (locations[0] in REGIONS or locations[0] in MULTI_REGIONS):
        raise invalid("resource.storageLocations", locations, "Not a storage location.")
    facts: dict[str, Any] = {
        "name": str(body.get("name")),
        "id": number_of("snapshot", path, str(call.things.last_number + 1)),
        "description": str(body.get("description", "")),
        "creationTimestamp": stamp(call.now_s),
        "sourceDisk": disk.id,
        "sourceDiskId": disk.facts["id"],
        "diskSizeGb": disk.facts["sizeGb"],
        "architecture": disk.facts["architecture"],
        "storageLocations": locations,
        "labels": dict(body.get("labels", {})),
        "labelFingerprint": "42WmSpB8rSM=",
        "snapshotType": "STANDARD",
    }
    failed = call.fails_operation
    steps = [(call.later(0.01), "FAILED" if failed else "UPLOADING")]
    if not failed:
        steps.append((call.later(), "READY"))
    call.new(SNAPSHOT, path, "CREATING", facts, steps=steps, region=locations[0])
    error = ("INTERNAL_ERROR", "The snapshot could not be created.") if failed else None
    return accepted(call, Change("createSnapshot", path, facts["id"], 1.0, error))


def list_snapshots(call: Call) -> Answer:
    rows = [render(call, each) for each in call.list(SNAPSHOT)]
    return listed(call, "compute#snapshotList", "global/snapshots", rows)


def get(call: Call) -> Answer:
    return Answer(200, render(call, need(call, _path(call))))


def delete(call: Call) -> Answer:
    snapshot = need(call, _path(call))
    snapshot.turn("DELETING", (call.later(0.0), GONE))
    call.save(snapshot)
    return accepted(call, Change("delete", snapshot.id, snapshot.facts["id"]))


def _path(call: Call) -> str:
    return f"global/snapshots/{call.path['snapshot']}"

"""Which images does the simulated Google Cloud have: Debian's public ones, and those that a project makes?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp.errors import already_exists, invalid, not_found, not_ready
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.operations import Change, accepted, once
from deploy.local.clouds.gcp.places import number_of, stamp, url
from deploy.local.clouds.world.controls import IMAGE, SNAPSHOT
from deploy.local.clouds.world.provider import Action, Answer, Call
from deploy.local.clouds.world.things import GONE, Thing

PUBLIC_PROJECT = "debian-cloud"

# name: family, architecture, creation time
PUBLIC: Mapping[str, tuple[str, str, str]] = {
    "debian-12-bookworm-v20261010": ("debian-12", "X86_64", "2026-10-10T11:20:31.000-07:00"),
    "debian-12-bookworm-v20261112": ("debian-12", "X86_64", "2026-11-12T12:02:11.000-08:00"),
    "debian-12-bookworm-arm64-v20261112": ("debian-12-arm64", "ARM64", "2026-11-12T12:02:14.000-08:00"),
    "debian-13-trixie-v20261112": ("debian-13", "X86_64", "2026-11-12T12:02:17.000-08:00"),
}
_GUEST_FEATURES = [{"type": "UEFI_COMPATIBLE"}, {"type": "VIRTIO_SCSI_MULTIQUEUE"}, {"type": "GVNIC"}]


def actions() -> list[Action]:
    public = f"/compute/v1/projects/{PUBLIC_PROJECT}/global/images"
    base = "/compute/v1/projects/{project}/global/images"
    return [
        Action("GET", public, "images.list", list_public),
        Action("GET", public + "/family/{family}", "images.getFromFamily", get_family),
        Action("GET", public + "/{image}", "images.get", get_public),
        Action("POST", base, "images.insert", once(insert)),
        Action("GET", base, "images.list", list_images),
        Action("GET", base + "/{image}", "images.get", get),
        Action("DELETE", base + "/{image}", "images.delete", once(delete)),
    ]


def image_at(call: Call, address: str, field: str) -> dict[str, Any]:
    """The image at an address, by name or family, with its `path` from `projects/` on. Raises Refusal `invalid`."""
    parts = address.partition("projects/")[2].split("/")
    found = None
    if parts[:3] == [PUBLIC_PROJECT, "global", "images"]:
        name = _newest(parts[-1]) if parts[3] == "family" else parts[-1]
        found = _public(call, name) if name in PUBLIC else None
        path = f"projects/{PUBLIC_PROJECT}/global/images/{name}"
    else:
        path = f"projects/{call.account.account_id}/global/images/{address.rpartition('/')[2]}"
        own = call.get(IMAGE, f"global/images/{address.rpartition('/')[2]}")
        if own is not None and own.state != "READY":
            raise not_ready(path)
        found = None if own is None else render(call, own)
    if found is None:
        raise invalid(field, address, "The referenced image resource cannot be found.")
    return {**found, "path": path}


def render(call: Call, thing: Thing) -> dict[str, Any]:
    shown = {
        **thing.facts,
        "kind": "compute#image",
        "status": thing.state,
        "selfLink": url(call, thing.id),
        "sourceSnapshot": url(call, thing.facts["sourceSnapshot"]),
    }
    if thing.state == "READY":
        shown["archiveSizeBytes"] = "1073741824"
    return shown


def insert(call: Call) -> Answer:
    body = call.document()
    path, name = f"global/images/{body.get('name')}", str(body.get("sourceSnapshot", "")).rpartition("/")[2]
    if call.get(IMAGE, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    snapshot = call.get(SNAPSHOT, f"global/snapshots/{name}")
    address = f"projects/{call.account.account_id}/global/snapshots/{name}"
    if snapshot is None:
        raise not_found(address)
    if snapshot.state != "READY":
        raise not_ready(address)
    facts: dict[str, Any] = {
        "name": str(body.get("name")),
        "id": number_of("image", path, str(call.things.last_number + 1)),
        "description": str(body.get("description", "")),
        "creationTimestamp": stamp(call.now_s),
        "sourceSnapshot": snapshot.id,
        "sourceSnapshotId": snapshot.facts["id"],
        "sourceType": "RAW",
        "diskSizeGb": snapshot.facts["diskSizeGb"],
        "architecture": str(body.get("architecture") or snapshot.facts["architecture"]),
        "storageLocations": list(body.get("storageLocations") or snapshot.facts["storageLocations"]),
        "guestOsFeatures": list(body.get("guestOsFeatures", [])),
        "labels": dict(body.get("labels", {})),
        "labelFingerprint": "42WmSpB8rSM=",
    }
    call.new(IMAGE, path, "PENDING", facts, steps=[(call.later(), "READY")])
    return accepted(call, Change("insert", path, facts["id"], 1.0))


def list_images(call: Call) -> Answer:
    return listed(call, "compute#imageList", "global/images", [render(call, each) for each in call.list(IMAGE)])


def get(call: Call) -> Answer:
    return Answer(200, render(call, _need(call)))


def delete(call: Call) -> Answer:
    image = _need(call)
    image.turn("DELETING", (call.later(0.0), GONE))
    call.save(image)
    return accepted(call, Change("delete", image.id, image.facts["id"]))


def _need(call: Call) -> Thing:
    path = f"global/images/{call.path['image']}"
    found = call.get(IMAGE, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found


def list_public(call: Call) -> Answer:
    return listed(call, "compute#imageList", "global/images", [_public(call, name) for name in PUBLIC])


def get_public(call: Call) -> Answer:
    if call.path["image"] not in PUBLIC:
        raise not_found(f"projects/{PUBLIC_PROJECT}/global/images/{call.path['image']}")
    return Answer(200, _public(call, call.path["image"]))


def get_family(call: Call) -> Answer:
    name = _newest(call.path["family"])
    if name not in PUBLIC:
        raise not_found(f"projects/{PUBLIC_PROJECT}/global/images/family/{call.path['family']}")
    return Answer(200, _public(call, name))


def _newest(family: str) -> str:
    return max((name for name, (of, _, _) in PUBLIC.items() if of == family), default="")


def _public(call: Call, name: str) -> dict[str, Any]:
    family, architecture, created = PUBLIC[name]
    return {
        "kind": "compute#image",
        "id": number_of(name),
        "name": name,
        "description": f"Debian, {family}, {architecture}",
        "family": family,
        "architecture": architecture,
        "creationTimestamp": created,
        "status": "READY",
        "sourceType": "RAW",
        "diskSizeGb": "10",
        "archiveSizeBytes": "1289387776",
        "storageLocations": ["eu", "us", "asia"],
        "guestOsFeatures": _GUEST_FEATURES,
        "labelFingerprint": "42WmSpB8rSM=",
        "licenses": [f"{call.http.base_url}/compute/v1/projects/{PUBLIC_PROJECT}/global/licenses/{family}"],
        "selfLink": f"{call.http.base_url}/compute/v1/projects/{PUBLIC_PROJECT}/global/images/{name}",
    }

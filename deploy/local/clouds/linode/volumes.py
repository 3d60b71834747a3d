"""How do the simulated volumes come and go, and to Linodes?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.linode.instances import checked_tags
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

FIRST_NUMBER = 10_000_000
SIZE_MIN_GB, SIZE_MAX_GB = 10, 16_384
VOLUME_LIMIT = 5_000
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,32}")


def create(call: Call) -> Answer:
    wanted = call.document()
    region, size, label = str(wanted.get("region")), wanted.get("size"), str(wanted.get("label") or "")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "region is not valid", field="region")
    if not isinstance(size, int) or not SIZE_MIN_GB <= size <= SIZE_MAX_GB:
        raise Refusal("invalid", f"Must be {SIZE_MIN_GB}-{SIZE_MAX_GB}", field="size")
    if not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must be 1-32 characters", field="label")
    if any(each.facts["label"] == label for each in call.list(VOLUME)):
        raise Refusal("conflict", "Label must be unique among your volumes", field="label")
    if len(call.list(VOLUME)) >= VOLUME_LIMIT:
        raise Refusal("quota")
    linode = _linode_of(call, wanted.get("linode_id"), region)
    facts = {"label": label, "size": size, "tags": checked_tags(wanted.get("tags") or []), "linode_id": linode,
             "encryption": str(wanted.get("encryption") or "disabled")}  # fmt: skip
    number = str(FIRST_NUMBER + call.things.last_number + 1)
    volume = call.new(VOLUME, number, "creating", facts, region=region, steps=[(call.later(0.2), "active")])
    return Answer(200, document(call, volume), result_ids=[number])


def _linode_of(call: Call, number: object, region: str) -> int | None:
    """Raises Refusal when there is none in the region; None when none is named."""
    if number is None:
        return None
    linode = call.get(MACHINE, str(number))
    if linode is None or linode.region != region:
        raise Refusal("invalid", "A Linode by that ID was not found in this region", field="linode_id")
    return int(linode.id)


def listed(call: Call) -> Answer:
    return page_of(call, call.list(VOLUME), lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, document(call, call.need(VOLUME, call.path["id"])))


def update(call: Call) -> Answer:
    volume, wanted = call.need(VOLUME, call.path["id"]), call.document()
    if "tags" in wanted:
        volume.facts["tags"] = checked_tags(wanted["tags"])
    call.save(volume)
    return Answer(200, document(call, volume), result_ids=[volume.id])


def resize(call: Call) -> Answer:
    volume, size = call.need(VOLUME, call.path["id"]), call.document().get("size")
    if not isinstance(size, int) or not volume.facts["size"] <= size <= SIZE_MAX_GB:
        raise Refusal("invalid", f"Must be {volume.facts['size']}-{SIZE_MAX_GB}", field="size")
    if volume.state != "active":
        raise Refusal("wrong_state", "Volume is busy.")
    volume.facts["size"] = size
    volume.turn("resizing", (call.later(0.3), "active"))
    call.save(volume)
    return Answer(200, document(call, volume), result_ids=[volume.id])


def of_instance(call: Call) -> Answer:
    linode = call.need(MACHINE, call.path["id"])
    return page_of(call, attached_to(call, linode), lambda each: document(call, each))


def attach(call: Call) -> Answer:
    volume = call.need(VOLUME, call.path["id"])
    linode = _linode_of(call, call.document().get("linode_id"), volume.region)
    if volume.state != "active":
        raise Refusal("wrong_state", "Volume is busy.")
    if owner(call, volume) is not None:
        raise Refusal("conflict", f"Volume {volume.id} is already attached to a Linode.")
    volume.facts["linode_id"] = linode
    call.save(volume)
    return Answer(200, document(call, volume), result_ids=[volume.id])


def detach(call: Call) -> Answer:
    volume = call.need(VOLUME, call.path["id"])
    volume.facts["linode_id"] = None
    call.save(volume)
    return Answer(200, {}, result_ids=[volume.id])


def delete(call: Call) -> Answer:
    volume = call.need(VOLUME, call.path["id"])
    if owner(call, volume) is not None:
        raise Refusal("conflict", f"Volume {volume.id} must be detached before it can be deleted.")
    call.things.remove(volume)
    return Answer(200, {}, result_ids=[volume.id])


def attached_to(call: Call, linode: Thing) -> list[Thing]:
    return [each for each in call.list(VOLUME, linode.region) if each.facts["linode_id"] == int(linode.id)]


def owner(call: Call, volume: Thing) -> Thing | None:
    """The Linode that it is attached to; a deleted Linode lets go of its volumes."""
    number = volume.facts["linode_id"]
    return None if number is None else call.get(MACHINE, str(number))


def document(call: Call, volume: Thing) -> dict[str, Any]:
    facts, linode = volume.facts, owner(call, volume)
    return {
        "id": int(volume.id), "label": facts["label"], "status": volume.state, "size": facts["size"],
        "region": volume.region, "linode_id": None if linode is None else int(linode.id),
        "linode_label": None if linode is None else linode.facts["label"],
        "filesystem_path": f"/dev/disk/by-id/scsi-0Linode_Volume_{facts['label']}", "tags": facts["tags"],
        "created": moment(volume.created_s), "updated": moment(volume.created_s), "hardware_type": "nvme",
        "encryption": facts["encryption"], "io_ready": True,
    }  # fmt: skip

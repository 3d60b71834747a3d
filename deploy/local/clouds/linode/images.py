"""How are the simulated Linodes' disks kept as images, and images replicated?"""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.answers import list_of, moment
from deploy.local.clouds.linode.instances import checked_tags, type_of
from deploy.local.clouds.world.controls import MACHINE, SNAPSHOT
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

FIRST_NUMBER = 30_000_000
SWAP_MIB = 512
_MAIN, _SWAP = 1, 2
_LABEL_MAX = 50


def disks(call: Call) -> Answer:
    """The system's disk and the swap disk of a Linode that was made from an image."""
    return list_of(call, disks_of(call, call.need(MACHINE, call.path["id"])))


def disks_of(call: Call, linode: Thing) -> list[dict[str, Any]]:
    kind = offers.type_(type_of(call, linode)) or {}
    shapes = ((_MAIN, "ext4", kind["disk"] - SWAP_MIB), (_SWAP, "swap", SWAP_MIB))
    return [
        {"id": disk_number(linode, place), "label": f"{filesystem} disk", "status": "ready", "size": size,
         "filesystem": filesystem, "created": moment(linode.created_s), "updated": moment(linode.created_s),
         "disk_encryption": "enabled"}
        for place, filesystem, size in (*shapes, *linode.facts.get("more_disks", ()))
    ]  # fmt: skip


def add_disk(call: Call) -> Answer:
    """A further disk, of what space the type leaves."""
    linode, wanted = call.need(MACHINE, call.path["id"]), call.document()
    more = linode.facts.setdefault("more_disks", [])
    more.append([len(more) + 3, str(wanted.get("filesystem") or "ext4"), int(wanted.get("size") or 1024)])
    call.save(linode)
    return Answer(200, disks_of(call, linode)[-1], result_ids=[linode.id])


def disk_number(linode: Thing, place: int) -> int:
    return int(linode.id) * 10 + place


def linode_of_disk(call: Call, number: object) -> Thing:
    """The Linode whose disk has that number; raises Refusal `invalid`."""
    linode = call.get(MACHINE, str(number)[:-1])
    if linode is None or str(number)[-1:] not in {str(_MAIN), str(_SWAP)}:
        raise Refusal("invalid", "A disk by that ID was not found", field="disk_id")
    return linode


def create(call: Call) -> Answer:
    wanted = call.document()
    linode = linode_of_disk(call, wanted.get("disk_id"))
    if linode.state not in {"running", "offline"}:
        raise Refusal("wrong_state", "Linode busy.")
    tags, label = checked_tags(wanted.get("tags") or []), str(wanted.get("label") or "")
    if not 1 <= len(label) <= _LABEL_MAX:
        raise Refusal("invalid", f"Length must be 1-{_LABEL_MAX} characters", field="label")
    size = next(each["size"] for each in disks_of(call, linode) if each["id"] == wanted["disk_id"])
    facts = {
        "label": label, "description": str(wanted.get("description") or ""), "tags": tags, "size": size,
        "regions": {linode.region: call.later()},
    }  # fmt: skip
    end = GONE if call.fails_operation else "available"
    identifier = f"private/{FIRST_NUMBER + call.things.last_number + 1}"
    image = call.new(SNAPSHOT, identifier, "creating", facts, region=linode.region, steps=[(call.later(), end)])
    return Answer(200, document(call, image), result_ids=[identifier])


def listed(call: Call) -> Answer:
    public = offers.images()
    return list_of(call, [*public, *(document(call, each) for each in call.list(SNAPSHOT))])


def read(call: Call) -> Answer:
    public = offers.image(call.path["id"])
    return Answer(200, public or document(call, call.need(SNAPSHOT, call.path["id"])))


def replicate(call: Call) -> Answer:
    """The regions of an image, all of them: those left out lose it."""
    image, wanted = call.need(SNAPSHOT, call.path["id"]), call.document().get("regions")
    if image.state != "available":
        raise Refusal("wrong_state", "Image must be available to be replicated.")
    if not isinstance(wanted, list) or not wanted or any(each not in offers.REGIONS for each in wanted):
        raise Refusal("invalid", "regions are not valid", field="regions")
    before = image.facts["regions"]
    if not any(before.get(each, call.later()) <= call.now_s for each in wanted):
        raise Refusal("invalid", "At least one available region must be kept", field="regions")
    image.facts["regions"] = {each: before.get(each, call.later()) for each in wanted}
    call.save(image)
    return Answer(200, document(call, image), result_ids=[image.id])


def delete(call: Call) -> Answer:
    image = call.need(SNAPSHOT, call.path["id"])
    call.things.remove(image)
    return Answer(200, {}, result_ids=[image.id])


def document(call: Call, image: Thing) -> dict[str, Any]:
    facts = image.facts
    regions = [
        {"region": region, "status": _status(image, region, is_there=due_s <= call.now_s)}
        for region, due_s in facts["regions"].items()
    ]
    size = facts["size"] if image.state == "available" else 0
    return {
        "id": image.id, "label": facts["label"], "vendor": None, "description": facts["description"],
        "created": moment(image.created_s), "updated": moment(image.created_s), "created_by": "operations",
        "deprecated": False, "is_public": False, "size": size, "type": "manual", "eol": None, "expiry": None,
        "status": image.state, "capabilities": ["cloud-init", "distributed-sites"], "regions": regions,
        "tags": facts["tags"], "total_size": size * len(regions), "is_shared": False, "image_sharing": None,
    }  # fmt: skip


def _status(image: Thing, region: str, *, is_there: bool) -> str:
    if is_there and image.state == "available":
        return "available"
    return "creating" if region == image.region else "pending replication"

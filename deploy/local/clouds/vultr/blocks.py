"""How does the simulated block storage come and go, and to instances?"""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.vultr import offers
from deploy.local.clouds.vultr.answers import moment, page_of
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

SIZE_MIN_GB, SIZE_MAX_GB = 10, 10_000
BLOCK_LIMIT = 5_000


def create(call: Call) -> Answer:
    wanted = call.document()
    region, size = wanted.get("region"), wanted.get("size_gb")
    if not offers.is_region(region):
        raise Refusal("invalid", "Invalid region.")
    if not isinstance(size, int) or not SIZE_MIN_GB <= size <= SIZE_MAX_GB:
        raise Refusal("invalid", f"size_gb must be between {SIZE_MIN_GB} and {SIZE_MAX_GB}.")
    if len(call.list(VOLUME)) >= BLOCK_LIMIT:
        raise Refusal("invalid", "Block storage limit reached.")
    number = call.things.last_number + 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"block {call.account.account_id} {number}"))
    facts = {"label": str(wanted.get("label") or ""), "size": size, "instance": None}
    steps = [(call.later(0.2), "active")]
    block = call.new(VOLUME, identifier, "pending", facts, region=str(region), steps=steps)
    return Answer(202, {"block": document(call, block)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "blocks", call.list(VOLUME), lambda each: each.number, lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"block": document(call, call.need(VOLUME, call.path["id"]))})


def update(call: Call) -> Answer:
    """Its label, and its size, which only grows."""
    block, wanted = call.need(VOLUME, call.path["id"]), call.document()
    size = wanted.get("size_gb", block.facts["size"])
    if not isinstance(size, int) or not block.facts["size"] <= size <= SIZE_MAX_GB:
        raise Refusal("invalid", f"size_gb must be between {block.facts['size']} and {SIZE_MAX_GB}.")
    block.facts |= {"size": size, "label": str(wanted.get("label", block.facts["label"]))}
    call.save(block)
    return Answer(204, result_ids=[block.id])


def delete(call: Call) -> Answer:
    block = call.need(VOLUME, call.path["id"])
    if owner(call, block) is not None:
        raise Refusal("invalid", "This block storage is attached to an instance.")
    call.things.remove(block)
    return Answer(204, result_ids=[block.id])


def attach(call: Call) -> Answer:
    block = call.need(VOLUME, call.path["id"])
    instance = call.get(MACHINE, str(call.document().get("instance_id")))
    if instance is None or instance.region != block.region:
        raise Refusal("invalid", "Invalid instance-id")
    if block.state != "active":
        raise Refusal("wrong_state", "Block storage is currently locked.")
    if owner(call, block) is not None:
        raise Refusal("invalid", "Block storage is already attached to an instance.")
    block.facts["instance"] = instance.id
    call.save(block)
    return Answer(204, result_ids=[block.id])


def detach(call: Call) -> Answer:
    block = call.need(VOLUME, call.path["id"])
    block.facts["instance"] = None
    call.save(block)
    return Answer(204, result_ids=[block.id])


def owner(call: Call, block: Thing) -> Thing | None:
    """The instance that it is attached to; a deleted instance lets go of its block storage."""
    identifier = block.facts["instance"]
    return None if identifier is None else call.get(MACHINE, identifier)


def document(call: Call, block: Thing) -> dict[str, Any]:
    facts, instance = block.facts, owner(call, block)
    attached = {} if instance is None else instance.facts
    return {
        "id": block.id, "date_created": moment(block.created_s), "status": block.state, "size_gb": facts["size"],
        "cost": float(facts["size"] * offers.BLOCK_GIB_MONTH_USD), "region": block.region, "label": facts["label"],
        "attached_to_instance": "" if instance is None else instance.id,
        "attached_to_instance_label": attached.get("label", ""), "attached_to_instance_ip": "",
        "mount_id": f"{block.region}-{block.id.replace('-', '')[:14]}", "block_type": "high_perf",
        "pending_charges": 0, "bootable": False, "os_id": 0, "snapshot_id": "",
    }  # fmt: skip

"""How do the simulated volumes come and go, and to droplets?"""

from __future__ import annotations

import re
import uuid
from typing import Any

from deploy.local.clouds.digitalocean import offers
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.digitalocean.events import FIRST_NUMBER
from deploy.local.clouds.digitalocean.tags import spelled_tags
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

SIZE_MAX_GB = 16_384
VOLUME_LIMIT = 5_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


def create(call: Call) -> Answer:
    wanted = call.document()
    region, size, name = wanted.get("region"), wanted.get("size_gigabytes"), str(wanted.get("name") or "")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "You specified an invalid region for volume creation.")
    if not isinstance(size, int) or not 1 <= size <= SIZE_MAX_GB:
        raise Refusal("invalid", f"size_gigabytes must be 1 to {SIZE_MAX_GB}")
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "name must be lower-case letters, digits and dashes and begin with a letter")
    if any(each.facts["name"] == name for each in call.list(VOLUME, str(region))):
        raise Refusal("conflict", "a volume already exists with that name")
    if len(call.list(VOLUME)) >= VOLUME_LIMIT:
        raise Refusal("invalid", "failed to create volume: volume limit exceeded")
    facts = {"name": name, "size": size, "tags": spelled_tags(call, wanted.get("tags") or []), "droplet": None}
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"volume {call.account.account_id} {call.things.last_number + 1}"))
    volume = call.new(VOLUME, identifier, "available", facts, region=str(region))
    return Answer(201, {"volume": document(call, volume)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    found = call.list(VOLUME, call.query.get("region"))
    if name := call.query.get("name"):
        found = [each for each in found if each.facts["name"] == name]
    return page_of(call, "volumes", found, lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"volume": document(call, call.need(VOLUME, call.path["id"]))})


def delete(call: Call) -> Answer:
    volume = call.need(VOLUME, call.path["id"])
    if owner(call, volume) is not None:
        raise Refusal("conflict", "failed to delete volume: it is already attached to a Droplet")
    call.things.remove(volume)
    return Answer(204, result_ids=[volume.id])


def act_by_name(call: Call) -> Answer:
    """By name and region, as libcloud does it."""
    wanted = call.document()
    found = [
        each for each in call.list(VOLUME, wanted.get("region")) if each.facts["name"] == wanted.get("volume_name")
    ]
    if not found:
        raise Refusal("not_found")
    return _act(call, found[0], wanted)


def act(call: Call) -> Answer:
    return _act(call, call.need(VOLUME, call.path["id"]), call.document())


def _act(call: Call, volume: Thing, wanted: dict[str, Any]) -> Answer:
    if wanted.get("type") == "resize":
        _resize(volume, wanted.get("size_gigabytes"))
        return _done(call, volume, "resize")
    droplet = call.get(MACHINE, str(wanted.get("droplet_id")))
    if droplet is None or droplet.region != volume.region:
        raise Refusal("invalid", "You specified an invalid Droplet.")
    attached = owner(call, volume)
    if wanted.get("type") == "attach":
        if attached is not None:
            raise Refusal("wrong_state", "Volume is already attached to a Droplet.")
        volume.facts["droplet"] = droplet.id
    elif wanted.get("type") == "detach":
        if attached is None or attached.id != droplet.id:
            raise Refusal("wrong_state", "Attachment not found.")
        volume.facts["droplet"] = None
    else:
        raise Refusal("invalid", "The action type is not supported.")
    return _done(call, volume, f"{wanted['type']}_volume")


def _resize(volume: Thing, size: Any) -> None:
    if not isinstance(size, int) or not volume.facts["size"] <= size <= SIZE_MAX_GB:
        raise Refusal("invalid", f"size_gigabytes must be {volume.facts['size']} to {SIZE_MAX_GB}")
    volume.facts["size"] = size


def _done(call: Call, volume: Thing, kind: str) -> Answer:
    call.save(volume)
    action = {
        "id": FIRST_NUMBER + call.things.last_number, "status": "completed", "type": kind,
        "started_at": moment(call.now_s), "completed_at": moment(call.now_s), "resource_id": None,
        "resource_type": "backend", "region": offers.region(volume.region), "region_slug": volume.region,
    }  # fmt: skip
    return Answer(202, {"action": action}, result_ids=[volume.id])


def owner(call: Call, volume: Thing) -> Thing | None:
    """The droplet that it is attached to; a destroyed droplet lets go of its volumes."""
    number = volume.facts["droplet"]
    return None if number is None else call.get(MACHINE, number)


def ids_of(call: Call, droplet: Thing) -> list[str]:
    return [each.id for each in call.list(VOLUME, droplet.region) if each.facts["droplet"] == droplet.id]


def document(call: Call, volume: Thing) -> dict[str, Any]:
    facts, droplet = volume.facts, owner(call, volume)
    return {
        "id": volume.id, "name": facts["name"], "description": "", "size_gigabytes": facts["size"],
        "region": offers.region(volume.region), "droplet_ids": [] if droplet is None else [int(droplet.id)],
        "created_at": moment(volume.created_s), "filesystem_type": "", "filesystem_label": "", "tags": facts["tags"],
    }  # fmt: skip

"""How are the simulated droplets' snapshots taken, transferred and deleted? They are images of the team."""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.digitalocean import offers
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.digitalocean.events import ACTION, FIRST_NUMBER, action_document
from deploy.local.clouds.world.controls import SNAPSHOT
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

_TAKING = "taking"
"""The state of a snapshot that nobody is told of yet: it has no image before its action is done."""


def take(call: Call, droplet: Thing, name: str, due_s: float) -> None:
    """The image that is there when the droplet's action is done."""
    size = offers.size(droplet.facts["size"]) or {}
    facts = {
        "name": name, "regions": {droplet.region: due_s}, "min_disk_size": size["disk"], "tags": [],
        "distribution": droplet.facts["image"]["distribution"], "done_s": due_s,
    }  # fmt: skip
    number = str(FIRST_NUMBER + call.things.last_number + 1)
    end = GONE if call.fails_operation else "available"
    call.new(SNAPSHOT, number, _TAKING, facts, region=droplet.region, steps=[(due_s, end)])


def own(call: Call, number: str) -> Thing | None:
    """An image of the team's that is there."""
    image = call.get(SNAPSHOT, number)
    return None if image is None or image.state == _TAKING else image


def need(call: Call) -> Thing:
    image = own(call, call.path["id"])
    if image is None:
        raise Refusal("not_found")
    return image


def usable(call: Call, slug_or_number: str, region: str, disk: int) -> dict[str, Any] | None:
    """What a droplet of a region and disk can be made of, None for what there is not."""
    image = own(call, slug_or_number)
    if image is None:
        return offers.image(slug_or_number)
    if region not in _regions(call, image):
        raise Refusal("invalid", "The image you specified is not available in the selected region.")
    if disk < image.facts["min_disk_size"]:
        raise Refusal("invalid", "The image is too large for this size: you specified an invalid size.")
    return document(call, image)


def listed(call: Call) -> Answer:
    mine = [document(call, each) for each in call.list(SNAPSHOT) if each.state != _TAKING]
    if call.query.get("type") == "distribution":
        return page_of(call, "images", offers.images())
    if call.query.get("type") == "application":
        return page_of(call, "images", [])
    return page_of(call, "images", mine if call.query.get("private") == "true" else [*offers.images(), *mine])


def read(call: Call) -> Answer:
    return Answer(200, {"image": offers.image(call.path["id"]) or document(call, need(call))})


def delete(call: Call) -> Answer:
    image = need(call)
    _at_rest(call, image)
    call.things.remove(image)
    return Answer(204, result_ids=[image.id])


def act(call: Call) -> Answer:
    image, wanted = need(call), call.document()
    region = str(wanted.get("region"))
    if wanted.get("type") != "transfer":
        raise Refusal("invalid", "The action type is not supported.")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "You specified an invalid region.")
    _at_rest(call, image)
    due_s = call.later()
    if not call.fails_operation:
        image.facts["regions"].setdefault(region, due_s)
    facts = {"type": "transfer", "image": image.id, "done_s": due_s}
    end = "errored" if call.fails_operation else "completed"
    number = str(FIRST_NUMBER + call.things.last_number + 1)
    action = call.new(ACTION, number, "in-progress", facts, region=region, steps=[(due_s, end)])
    call.save(image)
    return Answer(201, {"action": action_document(call, action)}, result_ids=[image.id])


def actions_of(call: Call) -> Answer:
    found = _actions(call, need(call))
    return page_of(call, "actions", found[::-1], lambda each: action_document(call, each))


def _actions(call: Call, image: Thing) -> list[Thing]:
    return [each for each in call.list(ACTION) if each.facts.get("image") == image.id]


def _at_rest(call: Call, image: Thing) -> None:
    if any(each.state == "in-progress" for each in _actions(call, image)):
        raise Refusal("wrong_state", "Image already has a pending event.")


def _regions(call: Call, image: Thing) -> list[str]:
    return [region for region, due_s in image.facts["regions"].items() if due_s <= call.now_s]


def document(call: Call, image: Thing) -> dict[str, Any]:
    facts = image.facts
    return {
        "id": int(image.id), "name": facts["name"], "type": "snapshot", "distribution": facts["distribution"],
        "slug": None, "public": False, "regions": _regions(call, image), "created_at": moment(facts["done_s"]),
        "min_disk_size": facts["min_disk_size"], "size_gigabytes": 2.34, "description": "", "tags": facts["tags"],
        "status": image.state, "error_message": "",
    }  # fmt: skip

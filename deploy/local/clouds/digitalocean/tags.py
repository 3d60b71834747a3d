"""How do the simulated tags come to be, and to droplets, images and volumes?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.digitalocean.answers import page_of
from deploy.local.clouds.world.controls import MACHINE, SNAPSHOT, VOLUME
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

TAG = "tag"
_KINDS = {
    "droplet": MACHINE, "image": SNAPSHOT, "volume": VOLUME, "load_balancer": "load_balancer", "database": "database",
}  # fmt: skip
_NAME = re.compile(r"[\w:-]{1,255}", re.ASCII)


def create(call: Call) -> Answer:
    """Idempotent; the first spelling of a name is its only one."""
    [name] = checked_tags([call.document().get("name")])
    known = call.get(TAG, name.lower())
    tag = known or _new(call, name)
    return Answer(201, {"tag": _document(call, tag)}, result_ids=[tag.facts["name"]], repeated=known is not None)


def listed(call: Call) -> Answer:
    return page_of(call, "tags", call.list(TAG), lambda each: _document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"tag": _document(call, call.need(TAG, call.path["name"].lower()))})


def assign(call: Call) -> Answer:
    tag = call.need(TAG, call.path["name"].lower())
    things = _resources(call)
    for thing in things:
        if tag.facts["name"] not in thing.facts["tags"]:
            thing.facts["tags"].append(tag.facts["name"])
            call.save(thing)
    return Answer(204, result_ids=[thing.id for thing in things])


def delete(call: Call) -> Answer:
    """Whatever has it loses it."""
    tag = call.need(TAG, call.path["name"].lower())
    for kind in _KINDS.values():
        for thing in call.list(kind):
            if tag.facts["name"] in thing.facts["tags"]:
                thing.facts["tags"].remove(tag.facts["name"])
                call.save(thing)
    call.things.remove(tag)
    return Answer(204, result_ids=[tag.facts["name"]])


def unassign(call: Call) -> Answer:
    """Of a droplet that was created with it, too: such a tag exists as long as its droplet."""
    name, things = call.path["name"].lower(), _resources(call)
    for thing in things:
        thing.facts["tags"] = [each for each in thing.facts["tags"] if each.lower() != name]
        call.save(thing)
    return Answer(204, result_ids=[thing.id for thing in things])


def checked_tags(names: Any) -> list[str]:
    """Raises Refusal `invalid` for what is no list of tag names."""
    if not isinstance(names, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise Refusal("invalid", "Tags may only contain letters, numbers, colons, dashes, and underscores.")
    return list(dict.fromkeys(names))


def spelled_tags(call: Call, names: Any) -> list[str]:
    """The tags that something is created with, as they were first spelled; those that nobody had are made."""
    tags = [call.get(TAG, name.lower()) or _new(call, name) for name in checked_tags(names)]
    return list(dict.fromkeys(tag.facts["name"] for tag in tags))


def _new(call: Call, name: str) -> Thing:
    return call.new(TAG, name.lower(), "there", {"name": name}, region="global")


def _resources(call: Call) -> list[Thing]:
    resources = call.document().get("resources")
    if not isinstance(resources, list) or not resources:
        raise Refusal("invalid", "resources must be a list of resources")
    if any(not isinstance(each, dict) or each.get("resource_type") not in _KINDS for each in resources):
        raise Refusal("invalid", f"resource_type must be one of {', '.join(_KINDS)}")
    return [call.need(_KINDS[each["resource_type"]], str(each.get("resource_id"))) for each in resources]


def _document(call: Call, tag: Thing) -> dict[str, Any]:
    count = sum(tag.facts["name"] in each.facts["tags"] for each in call.list(MACHINE))
    return {"name": tag.facts["name"], "resources": {"count": count, "droplets": {"count": count}}}

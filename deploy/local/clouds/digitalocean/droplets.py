"""How do the simulated droplets live: created, acted upon one action at a time, destroyed, and forgotten at once?"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from deploy.local.clouds.digitalocean import images, offers, volumes, vpcs
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.digitalocean.events import ACTION, FIRST_NUMBER, action_document
from deploy.local.clouds.digitalocean.tags import spelled_tags
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.lives import resized
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
# share of `state_seconds` that each action takes
_ACTIONS = {
    "power_on": 0.5,
    "power_off": 0.3,
    "shutdown": 0.4,
    "reboot": 0.4,
    "power_cycle": 0.4,
    "resize": 0.8,
    "snapshot": 1.0,
}
_NEEDS = {"power_on": "off", "power_off": "active", "shutdown": "active", "reboot": "active", "resize": "off"}


def create(call: Call, limit: int) -> Answer:
    wanted = call.document()
    region, slug = wanted.get("region"), str(wanted.get("size"))
    if region not in offers.REGIONS:
        raise Refusal("invalid", "You specified an invalid region for Droplet creation.")
    size = offers.size(slug)
    if size is None:
        raise Refusal("invalid", "You specified an invalid size for Droplet creation.")
    image = images.usable(call, str(wanted.get("image")), str(region), size["disk"])
    if image is None:
        raise Refusal("invalid", "You specified an invalid image for Droplet creation.")
    if not _NAME.fullmatch(str(wanted.get("name", ""))):
        raise Refusal("invalid", "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
    tags = spelled_tags(call, wanted.get("tags") or [])
    if len(call.list(MACHINE)) >= limit:
        raise Refusal("quota")
    number = FIRST_NUMBER + call.things.last_number + 1
    facts = {
        "name": wanted["name"], "size": slug, "image": image, "tags": tags,
        "monitoring": bool(wanted.get("monitoring")),
        "vpc_uuid": vpcs.chosen(call, wanted.get("vpc_uuid"), str(region)),
        "power": [[call.later(), True]],
    }  # fmt: skip
    end = GONE if call.fails_operation else "active"
    droplet = call.new(MACHINE, str(number), "new", facts, region=region, steps=[(call.later(), end)])
    begin(call, droplet, "create", 1.0)
    return Answer(202, {"droplet": document(call, droplet), "links": {}}, result_ids=[droplet.id])


def listed(call: Call) -> Answer:
    found = call.list(MACHINE)
    if tag := call.query.get("tag_name"):
        found = [each for each in found if tag.lower() in (name.lower() for name in each.facts["tags"])]
    if name := call.query.get("name"):
        found = [each for each in found if each.facts["name"] == name]
    return page_of(call, "droplets", found, lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"droplet": document(call, call.need(MACHINE, call.path["id"]))})


def destroy(call: Call) -> Answer:
    droplet = call.need(MACHINE, call.path["id"])
    call.things.remove(droplet)
    return Answer(204, result_ids=[droplet.id])


def act(call: Call) -> Answer:
    droplet, wanted = call.need(MACHINE, call.path["id"]), call.document()
    kind = str(wanted.get("type"))
    if kind not in _ACTIONS:
        raise Refusal("invalid", f"The action type {kind} is not supported.")
    if pending(call, droplet) is not None:
        raise Refusal("wrong_state", "Droplet already has a pending event.")
    _check(kind, droplet, str(wanted.get("size")))
    due_s = call.later(_ACTIONS[kind])
    if not call.fails_operation:
        if kind == "power_on":
            droplet.turn("off", (due_s, "active"))
            droplet.facts["power"].append([due_s, True])
        if kind in {"power_off", "shutdown"}:
            droplet.turn("active", (due_s, "off"))
            droplet.facts["power"].append([due_s, False])
        if kind == "resize":
            resized(droplet, due_s, droplet.facts["size"])
            droplet.facts["resize"] = [due_s, str(wanted["size"])]
    if kind == "snapshot":
        images.take(call, droplet, str(wanted.get("name") or droplet.facts["name"]), due_s)
    action = begin(call, droplet, kind, _ACTIONS[kind])
    return Answer(201, {"action": action_document(call, action)}, result_ids=[droplet.id])


def _check(kind: str, droplet: Thing, size: str) -> None:
    needs = _NEEDS.get(kind, droplet.state)
    if droplet.state != needs:
        state = {"off": "powered off", "active": "powered on"}[needs]
        raise Refusal("wrong_state", f"Droplet must be {state} for this action.")
    if kind == "resize":
        wanted, now = offers.size(size), offers.size(droplet.facts["size"])
        if wanted is None or now is None:
            raise Refusal("invalid", "You specified an invalid size for Droplet resize.")
        if wanted["disk"] < now["disk"]:
            raise Refusal("invalid", "This size has a smaller disk. Disks cannot be made smaller.")


def begin(call: Call, droplet: Thing, kind: str, share: float) -> Thing:
    """An action under way, which holds its droplet until it is done."""
    number = str(FIRST_NUMBER + call.things.last_number + 1)
    due_s = call.later(share)
    end = "errored" if call.fails_operation else "completed"
    facts = {"type": kind, "droplet": droplet.id, "done_s": due_s}
    action = call.new(ACTION, number, "in-progress", facts, region=droplet.region, steps=[(due_s, end)])
    droplet.facts["action"] = action.id
    call.save(droplet)
    return action


def pending(call: Call, droplet: Thing) -> Thing | None:
    """The action under way, None when the last one is done; a resize that is done is applied."""
    due_s, size = droplet.facts.get("resize") or (None, "")
    if due_s is not None and due_s <= call.now_s:
        droplet.facts |= {"resize": None, "size": size}
        call.save(droplet)
    action = call.get(ACTION, droplet.facts["action"])
    return action if action is not None and action.state == "in-progress" else None


def actions_of(call: Call) -> Answer:
    droplet = call.need(MACHINE, call.path["id"])
    found = [each for each in call.list(ACTION, droplet.region) if each.facts.get("droplet") == droplet.id]
    return page_of(call, "actions", found[::-1], lambda each: action_document(call, each))


def action(call: Call) -> Answer:
    return Answer(200, {"action": action_document(call, call.need(ACTION, call.path["id"]))})


def actions(call: Call) -> Answer:
    return page_of(call, "actions", call.list(ACTION)[::-1], lambda each: action_document(call, each))


def document(call: Call, droplet: Thing) -> dict[str, Any]:
    under_way = pending(call, droplet)
    facts, number = droplet.facts, int(droplet.id)
    size = offers.size(facts["size"]) or {}
    features = ["droplet_agent", "private_networking", *(["monitoring"] if facts["monitoring"] else [])]
    return {
        "id": number, "name": facts["name"], "memory": size["memory"], "vcpus": size["vcpus"], "disk": size["disk"],
        "disk_info": size["disk_info"], "locked": under_way is not None and under_way.facts["type"] != "create",
        "status": droplet.state, "kernel": None, "created_at": moment(droplet.created_s), "features": features,
        "backup_ids": [], "next_backup_window": None, "snapshot_ids": [], "image": facts["image"],
        "volume_ids": volumes.ids_of(call, droplet), "size": size, "size_slug": facts["size"],
        "networks": _networks(call, droplet) if droplet.state != "new" else {"v4": [], "v6": []},
        "region": offers.region(droplet.region), "tags": facts["tags"], "vpc_uuid": facts["vpc_uuid"],
    }  # fmt: skip


def _networks(call: Call, droplet: Thing) -> dict[str, Any]:
    """Public addresses are nobody's: 198.18.0.0/15 is set apart for tests of devices (RFC 2544)."""
    number = int(droplet.id)
    private, netmask, gateway = vpcs.address_in(call, droplet.facts["vpc_uuid"], number)
    public = str(ipaddress.IPv4Address(int(ipaddress.IPv4Address("198.18.0.0")) + number % 2**16))
    return {
        "v4": [
            {"ip_address": private, "netmask": netmask, "gateway": gateway, "type": "private"},
            {"ip_address": public, "netmask": "255.255.240.0", "gateway": "198.18.0.1", "type": "public"},
        ],
        "v6": [],
    }

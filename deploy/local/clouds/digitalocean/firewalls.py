"""How do the simulated firewalls stand around droplets: by their numbers and by their tags?"""

from __future__ import annotations

import re
import uuid
from typing import Any

from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.digitalocean.tags import TAG
from deploy.local.clouds.world.controls import GROUP, MACHINE
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
TAGS_MAX = 5


def create(call: Call) -> Answer:
    wanted = call.document()
    name, tags = str(wanted.get("name") or ""), wanted.get("tags") or []
    inbound, outbound = wanted.get("inbound_rules") or [], wanted.get("outbound_rules") or []
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "name may only contain letters, digits, . and -")
    if not inbound and not outbound:
        raise Refusal("invalid", "firewall must have at least one rule")
    _check_rules(inbound, "sources")
    _check_rules(outbound, "destinations")
    if any(call.get(TAG, str(tag).lower()) is None for tag in tags) or len(tags) > TAGS_MAX:
        raise Refusal("invalid", "tag not found")
    if any(each.facts["name"] == name for each in call.list(GROUP)):
        raise Refusal("conflict", "duplicate name")
    identifier = str(
        uuid.uuid5(uuid.NAMESPACE_OID, f"firewall {call.account.account_id} {call.things.last_number + 1}")
    )
    facts = {
        "name": name, "tags": [str(each) for each in tags], "inbound_rules": inbound, "outbound_rules": outbound,
        "droplet_ids": wanted.get("droplet_ids") or [],
    }  # fmt: skip
    firewall = call.new(GROUP, identifier, "succeeded", facts, region="global")
    return Answer(202, {"firewall": document(firewall)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "firewalls", call.list(GROUP), document)


def read(call: Call) -> Answer:
    return Answer(200, {"firewall": document(call.need(GROUP, call.path["id"]))})


def delete(call: Call) -> Answer:
    """DigitalOcean asks for nothing: droplets inside lose their wall."""
    firewall = call.need(GROUP, call.path["id"])
    call.things.remove(firewall)
    return Answer(204, result_ids=[firewall.id])


def of_droplet(call: Call) -> Answer:
    droplet = call.need(MACHINE, call.path["id"])
    tags = {each.lower() for each in droplet.facts["tags"]}
    found = [
        each
        for each in call.list(GROUP)
        if int(droplet.id) in each.facts["droplet_ids"] or tags & {tag.lower() for tag in each.facts["tags"]}
    ]
    return page_of(call, "firewalls", found, document)


def _check_rules(rules: Any, side: str) -> None:
    for rule in rules:
        if rule.get("protocol") not in {"tcp", "udp", "icmp"} or not rule.get(side):
            raise Refusal("invalid", f"a rule must have a protocol and {side}")
        if rule["protocol"] != "icmp" and not rule.get("ports"):
            raise Refusal("invalid", "You must specify a positive value for ports.")


def document(firewall: Thing) -> dict[str, Any]:
    return {
        "id": firewall.id, "status": firewall.state, "created_at": moment(firewall.created_s), "pending_changes": [],
        **firewall.facts,
    }  # fmt: skip

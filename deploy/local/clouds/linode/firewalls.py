"""How do the simulated firewalls stand around Linodes?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.linode.answers import list_of, moment, page_of
from deploy.local.clouds.linode.instances import checked_tags
from deploy.local.clouds.world.controls import GROUP, MACHINE
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

FIRST_NUMBER = 1_000_000
_LABEL = re.compile(r"[A-Za-z0-9](?!.*(--|__|\.\.))[A-Za-z0-9._-]{1,30}[A-Za-z0-9]")
_POLICIES = ("ACCEPT", "DROP")


def create(call: Call) -> Answer:
    wanted = call.document()
    label, rules = str(wanted.get("label") or ""), wanted.get("rules")
    if not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must be 3-32 characters", field="label")
    if any(each.facts["label"] == label for each in call.list(GROUP)):
        raise Refusal("conflict", "Label must be unique among your firewalls", field="label")
    if not isinstance(rules, dict):
        raise Refusal("invalid", "rules is required", field="rules")
    if any(rules.get(f"{direction}_policy") not in _POLICIES for direction in ("inbound", "outbound")):
        raise Refusal("invalid", "Must be one of ACCEPT, DROP", field="rules.inbound_policy")
    kept = {
        "inbound": rules.get("inbound") or [], "inbound_policy": rules["inbound_policy"],
        "outbound": rules.get("outbound") or [], "outbound_policy": rules["outbound_policy"],
        "version": 1, "fingerprint": "a1b2c3d4",
    }  # fmt: skip
    facts = {"label": label, "rules": kept, "tags": checked_tags(wanted.get("tags") or [])}
    number = str(FIRST_NUMBER + call.things.last_number + 1)
    firewall = call.new(GROUP, number, "enabled", facts, region="global")
    return Answer(200, document(call, firewall), result_ids=[number])


def listed(call: Call) -> Answer:
    return page_of(call, call.list(GROUP), lambda each: document(call, each), _seen)


def read(call: Call) -> Answer:
    return Answer(200, document(call, call.need(GROUP, call.path["id"])))


def delete(call: Call) -> Answer:
    """Linode asks for nothing: machines inside lose their wall."""
    firewall = call.need(GROUP, call.path["id"])
    call.things.remove(firewall)
    return Answer(200, {}, result_ids=[firewall.id])


def of_instance(call: Call) -> Answer:
    linode = call.need(MACHINE, call.path["id"])
    found = call.get(GROUP, str(linode.facts.get("firewall_id") or ""))
    return list_of(call, [] if found is None else [document(call, found)])


def _seen(firewall: Thing) -> dict[str, Any]:
    return {"id": int(firewall.id), "label": firewall.facts["label"], "tags": firewall.facts["tags"]}


def document(call: Call, firewall: Thing) -> dict[str, Any]:
    inside = [each for each in call.list(MACHINE) if each.facts.get("firewall_id") == int(firewall.id)]
    entities = [
        {"id": int(each.id), "type": "linode", "label": each.facts["label"], "url": f"/v4/linode/instances/{each.id}"}
        for each in inside
    ]
    return {
        "id": int(firewall.id), "label": firewall.facts["label"], "status": firewall.state, "entities": entities,
        "rules": firewall.facts["rules"], "tags": firewall.facts["tags"], "created": moment(firewall.created_s),
        "updated": moment(firewall.created_s),
    }  # fmt: skip

"""What are firewall rules of the simulated Google Cloud?"""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.gcp import networks
from deploy.local.clouds.gcp.errors import already_exists, invalid, not_found
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.operations import Change, accepted, once
from deploy.local.clouds.gcp.places import number_of, stamp, url
from deploy.local.clouds.world.controls import GROUP
from deploy.local.clouds.world.provider import Action, Answer, Call
from deploy.local.clouds.world.things import Thing

_DEFAULT_PRIORITY = 1000
_SHARE = 0.002
_RULES = ("allowed", "denied", "sourceRanges", "destinationRanges", "targetTags", "sourceTags")


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}/global"
    return [
        Action("POST", f"{base}/firewalls", "firewalls.insert", once(insert)),
        Action("GET", f"{base}/firewalls", "firewalls.list", list_firewalls),
        Action("GET", f"{base}/firewalls/{{firewall}}", "firewalls.get", get),
        Action("PATCH", f"{base}/firewalls/{{firewall}}", "firewalls.patch", once(patch)),
        Action("DELETE", f"{base}/firewalls/{{firewall}}", "firewalls.delete", once(delete)),
    ]


def render(call: Call, thing: Thing) -> dict[str, Any]:
    return {
        **thing.facts,
        "kind": "compute#firewall",
        "selfLink": url(call, thing.id),
        "network": url(call, f"global/networks/{network_of(thing)}"),
    }


def network_of(firewall: Thing) -> str:
    return str(firewall.facts.get("network", "default"))


def insert(call: Call) -> Answer:
    body = call.document()
    network = networks.named(call, body.get("network"), "resource.network")
    path = f"global/firewalls/{body.get('name')}"
    if call.get(GROUP, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    if bool(body.get("allowed")) == bool(body.get("denied")):
        raise invalid("resource", "", "Exactly one of 'allowed' and 'denied' must be given.")
    if not 0 <= int(body.get("priority", _DEFAULT_PRIORITY)) <= 65535:
        raise invalid("resource.priority", body["priority"], "Must be 0 to 65535.")
    facts: dict[str, Any] = {
        "name": str(body.get("name")),
        "id": number_of("firewall", path, str(call.things.last_number + 1)),
        "description": str(body.get("description", "")),
        "creationTimestamp": stamp(call.now_s),
        "priority": int(body.get("priority", _DEFAULT_PRIORITY)),
        "direction": str(body.get("direction") or "INGRESS"),
        "disabled": bool(body.get("disabled", False)),
        "logConfig": {"enable": False},
        "network": network,
    }
    call.new(GROUP, path, "READY", {**facts, **{name: body[name] for name in _RULES if body.get(name)}})
    return accepted(call, Change("insert", path, facts["id"], _SHARE))


def patch(call: Call) -> Answer:
    firewall, body = _need(call), call.document()
    firewall.facts |= {name: body[name] for name in (*_RULES, "description", "disabled", "priority") if name in body}
    call.save(firewall)
    return accepted(call, Change("patch", firewall.id, firewall.facts["id"], _SHARE))


def list_firewalls(call: Call) -> Answer:
    rows = [render(call, each) for each in call.list(GROUP)]
    return listed(call, "compute#firewallList", "global/firewalls", rows)


def get(call: Call) -> Answer:
    return Answer(200, render(call, _need(call)))


def delete(call: Call) -> Answer:
    firewall = _need(call)
    call.things.remove(firewall)
    return accepted(call, Change("delete", firewall.id, firewall.facts["id"], _SHARE))


def _need(call: Call) -> Thing:
    path = f"global/firewalls/{call.path['firewall']}"
    found = call.get(GROUP, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found

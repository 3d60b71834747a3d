"""What are networks and firewall rules of the simulated Google Cloud?"""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.gcp.errors import already_exists, invalid, not_found
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.operations import Change, accepted, once
from deploy.local.clouds.gcp.places import REGIONS, number_of, stamp, url
from deploy.local.clouds.world.controls import GROUP
from deploy.local.clouds.world.provider import Action, Answer, Call
from deploy.local.clouds.world.things import Thing

_DEFAULT_PRIORITY = 1000


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}/global"
    return [
        Action("GET", f"{base}/networks/{{network}}", "networks.get", get_network),
        Action("POST", f"{base}/firewalls", "firewalls.insert", once(insert)),
        Action("GET", f"{base}/firewalls", "firewalls.list", list_firewalls),
        Action("GET", f"{base}/firewalls/{{firewall}}", "firewalls.get", get),
        Action("DELETE", f"{base}/firewalls/{{firewall}}", "firewalls.delete", once(delete)),
    ]


def get_network(call: Call) -> Answer:
    """Each project has the one that Google makes with it."""
    name = call.path["network"]
    if name != "default":
        raise not_found(f"projects/{call.account.account_id}/global/networks/{name}")
    return Answer(
        200,
        {
            "kind": "compute#network",
            "id": number_of(call.account.account_id, "default"),
            "name": "default",
            "description": "Default network for the project",
            "autoCreateSubnetworks": True,
            "creationTimestamp": "2014-05-30T18:35:16.413-07:00",
            "subnetworks": [url(call, f"regions/{each}/subnetworks/default") for each in sorted(REGIONS)],
            "routingConfig": {"routingMode": "REGIONAL"},
            "selfLink": url(call, "global/networks/default"),
        },
    )


def render(call: Call, thing: Thing) -> dict[str, Any]:
    return {
        **thing.facts,
        "kind": "compute#firewall",
        "selfLink": url(call, thing.id),
        "network": url(call, "global/networks/default"),
    }


def insert(call: Call) -> Answer:
    body = call.document()
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
    }
    more = ("allowed", "denied", "sourceRanges", "destinationRanges", "targetTags", "sourceTags")
    call.new(GROUP, path, "READY", {**facts, **{name: body[name] for name in more if body.get(name)}})
    return accepted(call, Change("insert", path, facts["id"]))


def list_firewalls(call: Call) -> Answer:
    rows = [render(call, each) for each in call.list(GROUP)]
    return listed(call, "compute#firewallList", "global/firewalls", rows)


def get(call: Call) -> Answer:
    return Answer(200, render(call, _need(call)))


def delete(call: Call) -> Answer:
    firewall = _need(call)
    call.things.remove(firewall)
    return accepted(call, Change("delete", firewall.id, firewall.facts["id"]))


def _need(call: Call) -> Thing:
    path = f"global/firewalls/{call.path['firewall']}"
    found = call.get(GROUP, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found

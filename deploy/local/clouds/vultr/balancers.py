"""How do the simulated load balancers live: installed, changed, deleted?"""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from deploy.local.clouds.vultr import offers
from deploy.local.clouds.vultr.answers import moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GROUP, MACHINE, Thing

BALANCER = "load_balancer"
_PATH = "/v2/load-balancers"
_PROTOCOLS = ("http", "https", "tcp")
_ALGORITHMS = ("roundrobin", "leastconn")
_CHECK = {
    "protocol": "http", "port": 80, "path": "/", "check_interval": 15, "response_timeout": 5,
    "unhealthy_threshold": 5, "healthy_threshold": 5,
}  # fmt: skip
_NODES_MAX = 99
_FIRST = int(ipaddress.IPv4Address("198.19.0.0"))


def actions() -> list[Action]:
    return [
        Action("POST", _PATH, "load_balancers.create", create),
        Action("GET", _PATH, "load_balancers.list", listed),
        Action("GET", f"{_PATH}/{{id}}", "load_balancers.get", read),
        Action("PATCH", f"{_PATH}/{{id}}", "load_balancers.update", update),
        Action("DELETE", f"{_PATH}/{{id}}", "load_balancers.delete", delete),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    region = wanted.get("region")
    if not offers.is_region(region):
        raise Refusal("invalid", "Invalid region.")
    facts: dict[str, Any] = {
        "label": "", "instances": [], "nodes": 1, "rules": [], "check": _CHECK, "algorithm": "roundrobin",
        "proxy_protocol": False, "vpc": "",
    }  # fmt: skip
    facts |= _read(call, wanted, str(region))
    if not facts["rules"]:
        raise Refusal("invalid", "At least one forwarding rule is required.")
    number = call.things.last_number + 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"balancer {call.account.account_id} {number}"))
    steps = [(call.later(0.4), "installing"), (call.later(), "active")]
    made = call.new(BALANCER, identifier, "pending", facts, region=str(region), steps=steps)
    return Answer(202, {"load_balancer": document(call, made)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    found = call.list(BALANCER)
    return page_of(call, "load_balancers", found, lambda each: each.number, lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"load_balancer": document(call, call.need(BALANCER, call.path["id"]))})


def update(call: Call) -> Answer:
    """Fields that are left out stay."""
    balancer = call.need(BALANCER, call.path["id"])
    balancer.facts |= _read(call, call.document(), balancer.region)
    call.save(balancer)
    return Answer(204, result_ids=[balancer.id])


def delete(call: Call) -> Answer:
    balancer = call.need(BALANCER, call.path["id"])
    if balancer.state != "active":
        raise Refusal("wrong_state", "Load balancer is not ready.")
    call.things.remove(balancer)
    return Answer(204, result_ids=[balancer.id])


def address_of(balancer: Thing) -> str:
    return str(ipaddress.IPv4Address(_FIRST + balancer.number % 2**16))


def _read(call: Call, wanted: dict[str, Any], region: str) -> dict[str, Any]:
    """The facts that a body sets. Raises Refusal `invalid`."""
    facts: dict[str, Any] = {name: wanted[name] for name in ("label", "nodes", "proxy_protocol") if name in wanted}
    if "nodes" in wanted and not (isinstance(wanted["nodes"], int) and 1 <= wanted["nodes"] <= _NODES_MAX
                                  and wanted["nodes"] % 2):  # fmt: skip
        raise Refusal("invalid", "Invalid number of nodes.")
    if "balancing_algorithm" in wanted:
        if wanted["balancing_algorithm"] not in _ALGORITHMS:
            raise Refusal("invalid", "Invalid balancing algorithm.")
        facts["algorithm"] = wanted["balancing_algorithm"]
    if "health_check" in wanted:
        facts["check"] = {**_CHECK, **wanted["health_check"]}
    if "instances" in wanted:
        facts["instances"] = [_near(call, MACHINE, each, region, "Invalid instance-id") for each in wanted["instances"]]
    if "vpc" in wanted:
        facts["vpc"] = _near(call, GROUP, wanted["vpc"], region, "Invalid private network ID.") if wanted["vpc"] else ""
    if "forwarding_rules" in wanted:
        facts["rules"] = [_rule(each) for each in wanted["forwarding_rules"]]
    return facts


def _near(call: Call, kind: str, identifier: object, region: str, words: str) -> str:
    found = call.get(kind, str(identifier))
    if found is None or found.region != region:
        raise Refusal("invalid", words)
    return found.id


def _rule(wanted: dict[str, Any]) -> dict[str, Any]:
    ports = [wanted.get(f"{end}_port") for end in ("frontend", "backend")]
    protocols = [wanted.get(f"{end}_protocol") for end in ("frontend", "backend")]
    if any(not isinstance(port, int) for port in ports) or any(each not in _PROTOCOLS for each in protocols):
        raise Refusal("invalid", "Invalid forwarding rule.")
    return {
        "id": uuid.uuid5(uuid.NAMESPACE_OID, f"rule {ports} {protocols}").hex[:16],
        "frontend_protocol": protocols[0], "frontend_port": ports[0],
        "backend_protocol": protocols[1], "backend_port": ports[1],
    }  # fmt: skip


def document(call: Call, balancer: Thing) -> dict[str, Any]:
    """A deleted instance is no target any more."""
    facts = balancer.facts
    info = {
        "balancing_algorithm": facts["algorithm"], "ssl_redirect": False, "proxy_protocol": facts["proxy_protocol"],
        "sticky_sessions": {"cookie_name": ""}, "private_network": facts["vpc"], "vpc": facts["vpc"],
    }  # fmt: skip
    return {
        "id": balancer.id, "date_created": moment(balancer.created_s), "region": balancer.region,
        "label": facts["label"], "status": balancer.state, "ipv4": address_of(balancer), "ipv6": "",
        "generic_info": info, "health_check": facts["check"], "has_ssl": False, "http2": False,
        "nodes": facts["nodes"], "forwarding_rules": facts["rules"], "firewall_rules": [],
        "instances": [each for each in facts["instances"] if call.get(MACHINE, each) is not None],
    }  # fmt: skip

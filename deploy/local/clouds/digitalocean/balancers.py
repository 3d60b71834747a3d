"""How do the simulated load balancers stand before droplets: by their numbers or by a tag?"""

from __future__ import annotations

import re
import uuid
from typing import Any

from deploy.local.clouds.digitalocean import offers, vpcs
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.digitalocean.tags import spelled_tags
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

BALANCER = "load_balancer"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
_DROPLETS_MAX, _NODES_MAX = 10, 200
_PROTOCOLS = frozenset({"http", "https", "http2", "tcp"})
_CHECK = {
    "protocol": "http", "port": 80, "path": "/", "check_interval_seconds": 10, "response_timeout_seconds": 5,
    "healthy_threshold": 5, "unhealthy_threshold": 3,
}  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "size_unit": 1, "health_check": _CHECK, "sticky_sessions": {"type": "none"}, "redirect_http_to_https": False,
    "enable_proxy_protocol": False, "enable_backend_keepalive": False, "http_idle_timeout_seconds": 60,
    "disable_lets_encrypt_dns_records": False, "droplet_ids": [], "tag": "", "project_id": "",
}  # fmt: skip
"""What an update that leaves it out resets it to."""


def actions() -> list[Action]:
    return [
        Action("POST", "/v2/load_balancers", "load_balancers.create", create),
        Action("GET", "/v2/load_balancers", "load_balancers.list", listed),
        Action("GET", "/v2/load_balancers/{id}", "load_balancers.get", read),
        Action("PUT", "/v2/load_balancers/{id}", "load_balancers.update", update),
        Action("DELETE", "/v2/load_balancers/{id}", "load_balancers.delete", delete),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    region = str(wanted.get("region"))
    if region not in offers.REGIONS:
        raise Refusal("invalid", "You specified an invalid region for load balancer creation.")
    network = str(wanted.get("network") or "EXTERNAL")
    if network not in {"EXTERNAL", "INTERNAL"}:
        raise Refusal("invalid", "network must be EXTERNAL or INTERNAL")
    vpc = vpcs.chosen(call, wanted.get("vpc_uuid"), region)
    facts = {
        **_settings(call, wanted, vpc), "vpc_uuid": vpc, "network": network, "type": "REGIONAL",
        "tags": spelled_tags(call, wanted.get("tags") or []),
    }  # fmt: skip
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"lb {call.account.account_id} {call.things.last_number + 1}"))
    end = "errored" if call.fails_operation else "active"
    balancer = call.new(BALANCER, identifier, "new", facts, region=region, steps=[(call.later(), end)])
    return Answer(202, {"load_balancer": document(call, balancer)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "load_balancers", call.list(BALANCER), lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"load_balancer": document(call, call.need(BALANCER, call.path["id"]))})


def update(call: Call) -> Answer:
    balancer, wanted = call.need(BALANCER, call.path["id"]), call.document()
    if wanted.get("region") != balancer.region or wanted.get("vpc_uuid", "") not in {"", balancer.facts["vpc_uuid"]}:
        raise Refusal("invalid", "region and vpc_uuid can not be changed")
    balancer.facts |= _settings(call, wanted, balancer.facts["vpc_uuid"])
    call.save(balancer)
    return Answer(200, {"load_balancer": document(call, balancer)}, result_ids=[balancer.id])


def delete(call: Call) -> Answer:
    balancer = call.need(BALANCER, call.path["id"])
    call.things.remove(balancer)
    return Answer(204, result_ids=[balancer.id])


def _settings(call: Call, wanted: dict[str, Any], vpc: str) -> dict[str, Any]:
    """What an update may say; the rest has its default again."""
    name, rules = str(wanted.get("name") or ""), wanted.get("forwarding_rules") or []
    found = {key: wanted.get(key) or default for key, default in _DEFAULTS.items()}
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "name may only contain letters, digits, . and -")
    if not rules:
        raise Refusal("invalid", "load balancer must have at least one forwarding rule")
    if not 1 <= found["size_unit"] <= _NODES_MAX:
        raise Refusal("invalid", f"size_unit must be 1 to {_NODES_MAX}")
    if found["droplet_ids"] and found["tag"]:
        raise Refusal("invalid", "droplet_ids and tag are mutually exclusive")
    _check_droplets(call, found["droplet_ids"], vpc)
    return {**found, "name": name, "forwarding_rules": [_rule(each) for each in rules]}


def _check_droplets(call: Call, numbers: Any, vpc: str) -> None:
    if len(numbers) > _DROPLETS_MAX:
        raise Refusal("invalid", f"droplets exceed the maximum of {_DROPLETS_MAX} by ID; use a tag")
    for number in numbers:
        droplet = call.get(MACHINE, str(number))
        if droplet is None or droplet.facts["vpc_uuid"] != vpc:
            raise Refusal("invalid", f"Droplets {number} were not found in the VPC")


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    if not {rule.get("entry_protocol"), rule.get("target_protocol")} <= _PROTOCOLS:
        raise Refusal("invalid", "a forwarding rule has an invalid protocol")
    encrypted, certificate = rule["entry_protocol"] in {"https", "http2"}, rule.get("certificate_id") or ""
    if encrypted and not certificate and not rule.get("tls_passthrough"):
        raise Refusal("invalid", "a forwarding rule with https needs a certificate or passthrough")
    if certificate:
        raise Refusal("invalid", f"certificate {certificate} was not found")
    return {
        "entry_protocol": rule["entry_protocol"], "entry_port": rule["entry_port"],
        "target_protocol": rule["target_protocol"], "target_port": rule["target_port"], "certificate_id": certificate,
        "tls_passthrough": bool(rule.get("tls_passthrough")),
    }  # fmt: skip


def _droplets(call: Call, balancer: Thing) -> list[int]:
    """Those that are there still; with a tag, all in the VPC that have it now."""
    facts = balancer.facts
    if facts["tag"]:
        within = [each for each in call.list(MACHINE, balancer.region) if each.facts["vpc_uuid"] == facts["vpc_uuid"]]
        return [int(each.id) for each in within if facts["tag"] in each.facts["tags"]]
    return [each for each in facts["droplet_ids"] if call.get(MACHINE, str(each)) is not None]


def document(call: Call, balancer: Thing) -> dict[str, Any]:
    """Addresses are nobody's: 198.19.0.0/16 is set apart for tests of devices (RFC 2544)."""
    internal, number = balancer.facts["network"] == "INTERNAL", balancer.number
    address = f"198.19.{number // 250 % 256}.{number % 250 + 1}"
    if internal:
        address, _, _ = vpcs.address_in(call, balancer.facts["vpc_uuid"], number)
    return {
        "id": balancer.id, "ip": "" if balancer.state == "new" else address, "ipv6": "", "algorithm": "round_robin",
        "status": balancer.state, "created_at": moment(balancer.created_s), "region": offers.region(balancer.region),
        **balancer.facts, "droplet_ids": _droplets(call, balancer),
    }  # fmt: skip

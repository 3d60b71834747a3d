"""How do the simulated VPCs come and go? A region's default one is there from the first thing that needs it."""

from __future__ import annotations

import ipaddress
import re
import uuid
from typing import Any

from deploy.local.clouds.digitalocean import offers
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

VPC = "vpc"
_NAME = re.compile(r"[a-zA-Z0-9.-]{1,255}")
_DESCRIPTION_CHARACTERS_MAX = 255
_LARGEST, _SMALLEST = 16, 28
_PRIVATE = [ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_GENERATED = ipaddress.IPv4Network("10.64.0.0/10")
_GENERATED_PREFIX = 20
URNS = {MACHINE: "droplet", "load_balancer": "loadbalancer", "database": "dbaas"}
"""The kinds of things that stand in VPCs, as DigitalOcean names them; `vpc_uuid` among their facts says in which."""


def actions() -> list[Action]:
    return [
        Action("POST", "/v2/vpcs", "vpcs.create", create),
        Action("GET", "/v2/vpcs", "vpcs.list", listed),
        Action("GET", "/v2/vpcs/{id}", "vpcs.get", read),
        Action("PUT", "/v2/vpcs/{id}", "vpcs.update", update),
        Action("PATCH", "/v2/vpcs/{id}", "vpcs.update", patch),
        Action("DELETE", "/v2/vpcs/{id}", "vpcs.delete", delete),
        Action("GET", "/v2/vpcs/{id}/members", "vpcs.members", members),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    region = str(wanted.get("region"))
    if region not in offers.REGIONS:
        raise Refusal("invalid", "You specified an invalid region for VPC creation.")
    facts = {
        "name": _free_name(call, wanted.get("name"), None), "description": _description(wanted.get("description")),
        "ip_range": _free_range(call, wanted.get("ip_range")), "default": False,
    }  # fmt: skip
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"vpc {call.account.account_id} {call.things.last_number + 1}"))
    vpc = call.new(VPC, identifier, "there", facts, region=region)
    return Answer(201, {"vpc": document(vpc)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "vpcs", call.list(VPC), document)


def read(call: Call) -> Answer:
    return Answer(200, {"vpc": document(call.need(VPC, call.path["id"]))})


def update(call: Call) -> Answer:
    """All of what may change: a description that is left out is empty then."""
    wanted = call.document()
    return _updated(call, {"description": "", **wanted}, wanted.get("name"))


def patch(call: Call) -> Answer:
    vpc, wanted = call.need(VPC, call.path["id"]), call.document()
    return _updated(call, wanted, wanted.get("name", vpc.facts["name"]))


def _updated(call: Call, wanted: dict[str, Any], name: Any) -> Answer:
    vpc = call.need(VPC, call.path["id"])
    vpc.facts["name"] = _free_name(call, name, vpc)
    if "description" in wanted:
        vpc.facts["description"] = _description(wanted["description"])
    call.save(vpc)
    return Answer(200, {"vpc": document(vpc)}, result_ids=[vpc.id])


def delete(call: Call) -> Answer:
    vpc = call.need(VPC, call.path["id"])
    if vpc.facts["default"]:
        raise Refusal("conflict", "Can not delete default VPC", code="forbidden", status=403)
    if _members_of(call, vpc):
        raise Refusal("conflict", "Can not delete VPC with members")
    call.things.remove(vpc)
    return Answer(204, result_ids=[vpc.id])


def members(call: Call) -> Answer:
    found = _members_of(call, call.need(VPC, call.path["id"]))
    return page_of(call, "members", found)


def chosen(call: Call, identifier: object, region: str) -> str:
    """The VPC that something is made in, the region's default without one. Raises Refusal `invalid`."""
    if not identifier:
        return default_of(call, region).id
    known = call.get(VPC, str(identifier))
    if known is None or known.region != region:
        raise Refusal("invalid", f"VPC {identifier} was not found in {region}")
    return known.id


def default_of(call: Call, region: str) -> Thing:
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{call.account.account_id}{region}"))
    known = call.get(VPC, identifier)
    if known is not None:
        return known
    facts = {"name": f"default-{region}", "description": "", "ip_range": _free_range(call, None), "default": True}
    return call.new(VPC, identifier, "there", facts, region=region)


def address_in(call: Call, identifier: str, number: int) -> tuple[str, str, str]:
    """The address, netmask and gateway that a thing of this number has in a VPC."""
    vpc = call.get(VPC, identifier)
    network = ipaddress.IPv4Network("10.0.0.0/16" if vpc is None else vpc.facts["ip_range"])
    hosts = network.num_addresses - 3  # neither the network's, nor the gateway's, nor the broadcast's
    return str(network[2 + number % hosts]), str(network.netmask), str(network[1])


def document(vpc: Thing) -> dict[str, Any]:
    return {
        "id": vpc.id, "urn": f"do:vpc:{vpc.id}", "region": vpc.region, "created_at": moment(vpc.created_s), **vpc.facts
    }  # fmt: skip


def _members_of(call: Call, vpc: Thing) -> list[dict[str, Any]]:
    return [
        {"urn": f"do:{word}:{each.id}", "name": each.facts["name"], "created_at": moment(each.created_s)}
        for kind, word in URNS.items()
        for each in call.list(kind)
        if each.facts.get("vpc_uuid") == vpc.id
    ]


def _free_name(call: Call, name: Any, own: Thing | None) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refusal("invalid", "name may only contain alphanumeric characters, dashes, and periods")
    if any(each.facts["name"] == name and each is not own for each in call.list(VPC)):
        raise Refusal("invalid", "a VPC with that name already exists")
    return name


def _description(text: Any) -> str:
    if not isinstance(text or "", str) or len(text or "") > _DESCRIPTION_CHARACTERS_MAX:
        raise Refusal("invalid", f"description is too long (maximum is {_DESCRIPTION_CHARACTERS_MAX} characters)")
    return text or ""


def _free_range(call: Call, text: Any) -> str:
    taken = [ipaddress.IPv4Network(each.facts["ip_range"]) for each in call.list(VPC)]
    if not text:
        return str(next(
            each
            for each in _GENERATED.subnets(new_prefix=_GENERATED_PREFIX)
            if not any(each.overlaps(other) for other in taken)
        ))  # fmt: skip
    try:
        network = ipaddress.IPv4Network(str(text))
    except ValueError:
        raise Refusal("invalid", "ip_range is not a valid CIDR range") from None
    if not _LARGEST <= network.prefixlen <= _SMALLEST or not any(network.subnet_of(each) for each in _PRIVATE):
        raise Refusal("invalid", f"ip_range must be a private range of /{_LARGEST} to /{_SMALLEST}")
    if any(network.overlaps(other) for other in taken):
        raise Refusal("invalid", "This range/size overlaps with another VPC network in your account.")
    return str(network)

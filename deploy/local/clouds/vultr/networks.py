"""Which simulated networks are there, and who is in them?"""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from deploy.local.clouds.vultr import offers
from deploy.local.clouds.vultr.answers import list_of, moment, page_of
from deploy.local.clouds.vultr.balancers import BALANCER
from deploy.local.clouds.vultr.databases import DATABASE
from deploy.local.clouds.world.controls import GROUP, MACHINE
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

VPC_LIMIT = 1_000
_IN_ONE = (BALANCER, DATABASE)
"""What may be in one network, named in its facts, besides instances, which may be in several."""
_FIRST = int(ipaddress.IPv4Address("10.64.0.0"))


def create(call: Call) -> Answer:
    wanted = call.document()
    if not offers.is_region(wanted.get("region")):
        raise Refusal("invalid", "Invalid region.")
    if len(call.list(GROUP)) >= VPC_LIMIT:
        raise Refusal("invalid", "VPC limit reached for this account.")
    number = call.things.last_number + 1
    chosen = wanted.get("v4_subnet") or ipaddress.IPv4Address(_FIRST + number % 2**14 * 2**8)
    try:
        subnet = ipaddress.IPv4Network(f"{chosen}/{wanted.get('v4_subnet_mask') or 24}")
    except ValueError as error:
        raise Refusal("invalid", "Invalid subnet.") from error
    facts = {
        "description": str(wanted.get("description") or ""),
        "subnet": str(subnet.network_address),
        "mask": subnet.prefixlen,
        "gateways": [],
    }
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"vpc {call.account.account_id} {number}"))
    made = call.new(GROUP, identifier, "there", facts, region=str(wanted["region"]))
    return Answer(201, {"vpc": document(made)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "vpcs", call.list(GROUP), lambda each: each.number, document)


def read(call: Call) -> Answer:
    return Answer(200, {"vpc": document(call.need(GROUP, call.path["id"]))})


def update(call: Call) -> Answer:
    """Its description, which is all that can be changed."""
    network = call.need(GROUP, call.path["id"])
    network.facts["description"] = str(call.document().get("description") or "")
    call.save(network)
    return Answer(204, result_ids=[network.id])


def delete(call: Call) -> Answer:
    network = call.need(GROUP, call.path["id"])
    members = [each for each in call.list(MACHINE) if network.id in each.facts.get("vpcs", [])]
    members += [each for kind in _IN_ONE for each in call.list(kind) if each.facts["vpc"] == network.id]
    if members:
        addresses = ", ".join(address_in(network, each) for each in members)
        raise Refusal("invalid", f"VPC is attached to {addresses}")
    call.things.remove(network)
    return Answer(204, result_ids=[network.id])


def gateways(call: Call) -> Answer:
    return list_of(call, "nat_gateways", call.need(GROUP, call.path["id"]).facts["gateways"])


def add_gateway(call: Call) -> Answer:
    network = call.need(GROUP, call.path["id"])
    gateway = {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"gateway {network.id}")), "vpc_id": network.id,
               "date_created": moment(call.now_s), "status": "active", "label": "", "public_ips": []}  # fmt: skip
    network.facts["gateways"] = [gateway]
    call.save(network)
    return Answer(201, {"nat_gateway": gateway}, result_ids=[network.id])


def of_instance(call: Call) -> Answer:
    instance = call.need(MACHINE, call.path["id"])
    found = [network for each in instance.facts.get("vpcs", []) if (network := call.get(GROUP, each)) is not None]
    members = [
        {"id": each.id, "mac_address": "5a:02:00:00:24:e9", "ip_address": address_in(each, instance)} for each in found
    ]
    return list_of(call, "vpcs", members)


def address_of(call: Call, instance: Thing) -> str:
    """Its address in the first of its networks; empty without any."""
    found = (call.get(GROUP, each) for each in instance.facts.get("vpcs", []))
    return next((address_in(each, instance) for each in found if each is not None), "")


def address_in(network: Thing, member: Thing) -> str:
    return str(ipaddress.IPv4Address(network.facts["subnet"]) + 3 + member.number % 250)


def document(network: Thing) -> dict[str, Any]:
    facts = network.facts
    return {
        "id": network.id, "region": network.region, "date_created": moment(network.created_s),
        "description": facts["description"], "v4_subnet": facts["subnet"], "v4_subnet_mask": facts["mask"],
    }  # fmt: skip

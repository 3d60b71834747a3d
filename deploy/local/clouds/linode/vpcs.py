"""How do the simulated VPCs come and go with their subnets, and which Linodes are in them?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

VPC = "vpc"
FIRST_NUMBER = 40_000
REGION_LIMIT = 1000
"""Of an account in a region; the real one gives 10 and more when asked."""
_LABEL = re.compile(r"(?!.*--)[A-Za-z0-9-]{1,64}")
_FORBIDDEN = ipaddress.IPv4Network("192.168.128.0/17")


def actions() -> list[Action]:
    base = "/v4/vpcs"
    vpc, subnets = f"{base}/{{id}}", f"{base}/{{id}}/subnets"
    return [
        Action("GET", f"{base}/ips", "vpc_addresses.list", _addresses),
        Action("POST", base, "vpcs.create", _create),
        Action("GET", base, "vpcs.list", lambda call: page_of(call, call.list(VPC), lambda each: _vpc(call, each))),
        Action("GET", vpc, "vpcs.get", lambda call: Answer(200, _vpc(call, call.need(VPC, call.path["id"])))),
        Action("PUT", vpc, "vpcs.update", _update),
        Action("DELETE", vpc, "vpcs.delete", _delete),
        Action("POST", subnets, "subnets.create", _create_subnet),
        Action("GET", subnets, "subnets.list", _subnets),
        Action("DELETE", f"{subnets}/{{subnet}}", "subnets.delete", _delete_subnet),
        Action("GET", "/v4/linode/instances/{id}/ips", "instances.ips", _of_instance),
        Action("POST", "/v4/linode/instances/{id}/ips", "addresses.create", _allocate),
    ]


def _create(call: Call) -> Answer:
    wanted = call.document()
    region, label = str(wanted.get("region")), str(wanted.get("label") or "")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "region is not valid", field="region")
    if not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must include only ASCII letters, numbers, and dashes", field="label")
    if any(each.facts["label"] == label for each in call.list(VPC)):
        raise Refusal("conflict", "Label must be unique among your VPCs", field="label")
    if len(call.list(VPC, region)) >= REGION_LIMIT:
        raise Refusal("quota")
    facts: dict[str, Any] = {
        "label": label, "description": str(wanted.get("description") or ""), "subnets": [], "updated_s": call.now_s,
    }  # fmt: skip
    for number, each in enumerate(wanted.get("subnets") or []):
        facts["subnets"].append(_new_subnet(call, facts["subnets"], each, f"subnets[{number}]."))
    vpc = call.new(VPC, str(FIRST_NUMBER + call.things.last_number + 1), "active", facts, region=region)
    return Answer(200, _vpc(call, vpc), result_ids=[vpc.id])


def _update(call: Call) -> Answer:
    vpc, wanted = call.need(VPC, call.path["id"]), call.document()
    vpc.facts |= {name: str(wanted[name]) for name in ("label", "description") if name in wanted}
    return _saved(call, vpc)


def _delete(call: Call) -> Answer:
    vpc = call.need(VPC, call.path["id"])
    if any(_inside(call, each["id"]) for each in vpc.facts["subnets"]):
        raise Refusal("conflict", "Cannot delete a VPC that has Linodes in its subnets")
    call.things.remove(vpc)
    return Answer(200, {}, result_ids=[vpc.id])


def _create_subnet(call: Call) -> Answer:
    vpc = call.need(VPC, call.path["id"])
    made = _new_subnet(call, vpc.facts["subnets"], call.document(), "")
    vpc.facts["subnets"].append(made)
    _saved(call, vpc)
    return Answer(200, _subnet(call, made), result_ids=[vpc.id])


def _subnets(call: Call) -> Answer:
    vpc = call.need(VPC, call.path["id"])
    return page_of(call, vpc.facts["subnets"], lambda each: _subnet(call, each))


def _delete_subnet(call: Call) -> Answer:
    vpc = call.need(VPC, call.path["id"])
    subnet = next((each for each in vpc.facts["subnets"] if str(each["id"]) == call.path["subnet"]), None)
    if subnet is None:
        raise Refusal("not_found")
    if _inside(call, subnet["id"]):
        raise Refusal("conflict", "Cannot delete a subnet that has Linodes in it")
    vpc.facts["subnets"].remove(subnet)
    _saved(call, vpc)
    return Answer(200, {}, result_ids=[vpc.id])


def _saved(call: Call, vpc: Thing) -> Answer:
    vpc.facts["updated_s"] = call.now_s
    call.save(vpc)
    return Answer(200, _vpc(call, vpc), result_ids=[vpc.id])


def _new_subnet(call: Call, there: list[dict[str, Any]], wanted: Mapping[str, Any], place: str) -> dict[str, Any]:
    label, text = str(wanted.get("label") or ""), str(wanted.get("ipv4"))
    if not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must include only ASCII letters, numbers, and dashes", field=f"{place}label")
    if any(each["label"] == label for each in there):
        raise Refusal("conflict", "Label must be unique among your subnets", field=f"{place}label")
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise Refusal("invalid", "Must be an IPv4 network", field=f"{place}ipv4") from error
    if not network.is_private or network.overlaps(_FORBIDDEN):
        raise Refusal("invalid", "Must not overlap with a forbidden range", field=f"{place}ipv4")
    if any(network.overlaps(ipaddress.IPv4Network(each["ipv4"])) for each in there):
        raise Refusal("invalid", "Subnet ranges must not overlap", field=f"{place}ipv4")
    known = [each["id"] for vpc in call.list(VPC) for each in vpc.facts["subnets"]]
    number = max([FIRST_NUMBER, *known, *(each["id"] for each in there)]) + 1
    return {"id": number, "label": label, "ipv4": text, "created_s": call.now_s}


def subnet_of(call: Call, number: object, region: str) -> dict[str, Any] | None:
    """A subnet by its number, when it is in the region."""
    subnets = (subnet for vpc in call.list(VPC, region) for subnet in vpc.facts["subnets"])
    return next((each for each in subnets if each["id"] == number), None)


def _inside(call: Call, number: int) -> list[Thing]:
    return [each for each in call.list(MACHINE) if each.facts.get("subnet_id") == number]


def _in_vpcs(call: Call) -> Iterator[dict[str, Any]]:
    for vpc in call.list(VPC):
        for subnet in vpc.facts["subnets"]:
            for linode in _inside(call, subnet["id"]):
                yield _address(vpc, subnet, linode)


def _address(vpc: Thing, subnet: Mapping[str, Any], linode: Thing) -> dict[str, Any]:
    network, number = ipaddress.IPv4Network(subnet["ipv4"]), int(linode.id)
    return {
        "address": str(network[2 + number % (network.num_addresses - 4)]), "address_range": None,
        "vpc_id": int(vpc.id), "subnet_id": subnet["id"], "region": vpc.region, "linode_id": number,
        "nodebalancer_id": None, "database_id": None, "config_id": number * 10, "interface_id": number * 10 + 1,
        "active": True, "nat_1_1": None, "gateway": str(network[1]), "prefix": network.prefixlen,
        "subnet_mask": str(network.netmask),
    }  # fmt: skip


def _addresses(call: Call) -> Answer:
    return page_of(call, list(_in_vpcs(call)), lambda each: each)


def _allocate(call: Call) -> Answer:
    """A private address: a Linode has one at most. Public ones are not served."""
    linode, wanted = call.need(MACHINE, call.path["id"]), call.document()
    if wanted.get("type") != "ipv4" or wanted.get("public") is not False:
        raise Refusal("invalid", "Additional public IPv4 addresses require technical justification.", field="public")
    if linode.facts.get("private_ip"):
        raise Refusal("invalid", "This Linode already has a private IP address.")
    linode.facts["private_ip"] = True
    call.save(linode)
    document = {
        "address": private_address(linode), "gateway": None, "linode_id": int(linode.id), "prefix": 17,
        "public": False, "rdns": None, "region": linode.region, "subnet_mask": "255.255.128.0", "type": "ipv4",
    }  # fmt: skip
    return Answer(200, document, result_ids=[linode.id])


def private_address(linode: Thing) -> str:
    """In the network that Linode has in each region."""
    return str(_FORBIDDEN[int(linode.id) % 2**15])


def _of_instance(call: Call) -> Answer:
    linode = call.need(MACHINE, call.path["id"])
    mine = [each for each in _in_vpcs(call) if each["linode_id"] == int(linode.id)] if _is_placed(linode) else []
    return Answer(200, {"ipv4": {"public": [], "private": [], "shared": [], "reserved": [], "vpc": mine}, "ipv6": {}})


def _is_placed(linode: Thing) -> bool:
    return linode.facts.get("subnet_id") is not None


def _subnet(call: Call, subnet: Mapping[str, Any]) -> dict[str, Any]:
    linodes = [
        {"id": int(each.id), "interfaces": [{"id": int(each.id) * 10 + 1, "active": True, "config_id": None}]}
        for each in _inside(call, subnet["id"])
    ]
    return {
        "id": subnet["id"], "label": subnet["label"], "ipv4": subnet["ipv4"], "linodes": linodes, "nodebalancers": [],
        "databases": [], "created": moment(subnet["created_s"]), "updated": moment(subnet["created_s"]),
    }  # fmt: skip


def _vpc(call: Call, vpc: Thing) -> dict[str, Any]:
    return {
        "id": int(vpc.id), "label": vpc.facts["label"], "description": vpc.facts["description"], "region": vpc.region,
        "subnets": [_subnet(call, each) for each in vpc.facts["subnets"]], "created": moment(vpc.created_s),
        "updated": moment(vpc.facts["updated_s"]),
    }  # fmt: skip

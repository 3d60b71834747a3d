"""How do load balancers live, with their public addresses and the interfaces behind them?"""

from __future__ import annotations

import ipaddress
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.networks import ADDRESS, BALANCER, INTERFACE, interface_document, need_subnet
from deploy.local.clouds.azure.operations import accepted
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

_QUICK = 0.002
"""How much of a change of state these take: a second or two where a machine takes minutes."""
_BALANCERS_MAX = 1000
_PARTS = ("frontendIPConfigurations", "backendAddressPools", "probes", "loadBalancingRules", "inboundNatRules",
          "outboundRules")  # fmt: skip


def actions() -> list[Action]:
    balancer, address, interface = paths.in_group(BALANCER), paths.in_group(ADDRESS), paths.in_group(INTERFACE)
    return [
        Action("PUT", balancer, "load_balancers.create_or_update", _put),
        Action("GET", balancer, "load_balancers.get", _get),
        Action("DELETE", balancer, "load_balancers.delete", _delete),
        Action("GET", paths.in_subscription(BALANCER), "load_balancers.list_all",
               lambda call: page(call, call.list(BALANCER), lambda thing: _document(call, thing))),
        Action("PUT", address, "public_ip_addresses.create_or_update", _put_address),
        Action("DELETE", address, "public_ip_addresses.delete", _delete_address),
        Action("PUT", interface, "network_interfaces.create_or_update", _put_interface),
    ]  # fmt: skip


def _need(call: Call) -> Thing:
    paths.need_group(call)
    return call.need(BALANCER, paths.id_of(call, BALANCER),
                     f"The Resource '{BALANCER}/{call.path['name']}' under resource group '{call.path['rg']}' was not "
                     "found.")  # fmt: skip


def _put(call: Call) -> Answer:
    """A PUT describes the whole balancer; which interfaces are behind it, it does not say."""
    paths.need_group(call)
    body, identifier = call.document(), paths.id_of(call, BALANCER)
    known, location = call.get(BALANCER, identifier), paths.need_location(body)
    if known is not None and known.state != "ready":
        raise Refusal("conflict", "Another operation on this or dependent resource is in progress.",
                      code="AnotherOperationInProgress")  # fmt: skip
    if known is None and len(call.list(BALANCER, location)) >= _BALANCERS_MAX:
        raise Refusal("quota", "The limit of load balancers is reached.", code="LoadBalancerCountLimitReached")
    properties = _properties(call, identifier, body.get("properties") or {}, known)
    facts = {
        "tags": checked(body.get("tags")),
        "sku": {"tier": "Regional", **(body.get("sku") or {"name": "Basic"})},
        "properties": properties,
    }
    if known is None:
        made = call.new(BALANCER, identifier, "creating", facts, region=location,
                        token=facts["tags"].get("canopy:token"), steps=[(call.later(_QUICK), "ready")])  # fmt: skip
    else:
        made = known
        made.facts = facts
        made.turn("creating", (call.later(_QUICK), "ready"))
        call.save(made)
    status = 201 if known is None else 200
    return accepted(call, status, _document(call, made), call.later(_QUICK), result_ids=[made.id])


def _properties(call: Call, identifier: str, given: dict[str, Any], known: Thing | None) -> dict[str, Any]:
    """The parts with their ids; raises Refusal for what does not fit together."""
    properties: dict[str, Any] = {
        part: [
            {"id": f"{identifier}/{part}/{each['name']}", "name": each["name"],
             "properties": {**(each.get("properties") or {}), "provisioningState": "Succeeded"}}
            for each in given.get(part) or []
        ]
        for part in _PARTS
    }  # fmt: skip
    for each in properties["backendAddressPools"]:
        each["properties"].pop("backendIPConfigurations", None)
    for each in properties["frontendIPConfigurations"]:
        _place(call, each, known)
    ids = {each["id"] for part in _PARTS for each in properties[part]}
    for rule in properties["loadBalancingRules"]:
        for part in ("frontendIPConfiguration", "backendAddressPool", "probe"):
            named = (rule["properties"].get(part) or {}).get("id")
            if named is not None and named not in ids:
                raise Refusal("invalid", f"Resource {named} referenced by resource {rule['id']} was not found.",
                              code="InvalidResourceReference")  # fmt: skip
    _check_apart(properties["loadBalancingRules"])
    return properties


def _check_apart(rules: list[dict[str, Any]]) -> None:
    for end, code in (
        ("frontendPort", "RulesUseSameFrontendPortProtocolAndIPConfig"),
        ("backendPort", "RulesUseSameBackendPortProtocolAndPool"),
    ):
        ends = [(each["properties"]["protocol"], each["properties"][end]) for each in rules]
        if len(set(ends)) < len(ends):
            raise Refusal("invalid", f"Two rules use the same {end}.", code=code)


def _place(call: Call, frontend: dict[str, Any], known: Thing | None) -> None:
    """Give a frontend its address: the public one that it names, which is nobody else's, or one of its subnet."""
    properties = frontend["properties"]
    public = (properties.get("publicIPAddress") or {}).get("id")
    if public is None:
        subnet = need_subnet(call, str((properties.get("subnet") or {}).get("id")))
        before = [each for each in (known.facts["properties"]["frontendIPConfigurations"] if known else [])
                  if each["id"] == frontend["id"]]  # fmt: skip
        network = ipaddress.ip_network(subnet["properties"]["addressPrefix"])
        fresh = str(network[4 + call.things.last_number % (network.num_addresses - 8)])
        properties["privateIPAddress"] = before[0]["properties"]["privateIPAddress"] if before else fresh
        return
    address = call.get(ADDRESS, public)
    if address is None:
        raise Refusal("invalid", f"Resource {public} referenced by {frontend['id']} was not found.",
                      code="InvalidResourceReference")  # fmt: skip
    if address.state != "ready":
        raise Refusal("conflict", f"Resource {public} is not in Succeeded state.",
                      code="ReferencedResourceNotProvisioned")  # fmt: skip
    user = (address.facts["properties"].get("ipConfiguration") or {}).get("id", frontend["id"])
    if user != frontend["id"]:
        raise Refusal("invalid", f"Resource {public} is in use by {user}.", code="PublicIPAddressInUse")
    properties["publicIPAddress"] = {"id": public}
    address.facts["properties"]["ipConfiguration"] = {"id": frontend["id"]}
    call.save(address)


def _get(call: Call) -> Answer:
    document = _document(call, _need(call))
    if "publicipaddress" in call.query.get("$expand", "").lower():
        for each in document["properties"]["frontendIPConfigurations"]:
            address = call.get(ADDRESS, str((each["properties"].get("publicIPAddress") or {}).get("id")))
            if address is not None:
                each["properties"] = {**each["properties"], "publicIPAddress": _address(address)}
    return Answer(200, document)


def _members(call: Call, pool_id: str) -> list[dict[str, str]]:
    return [
        {"id": each["id"]}
        for interface in call.list(INTERFACE)
        for each in interface.facts["properties"]["ipConfigurations"]
        if pool_id in {pool["id"] for pool in each["properties"].get("loadBalancerBackendAddressPools") or []}
    ]


def _document(call: Call, thing: Thing) -> dict[str, Any]:
    """A copy that may be changed."""
    properties = {part: [dict(each) for each in thing.facts["properties"][part]] for part in _PARTS}
    for each in properties["backendAddressPools"]:
        members = _members(call, each["id"])
        each["properties"] = {**each["properties"], **({"backendIPConfigurations": members} if members else {})}
    state = {"creating": "Updating", "deleting": "Deleting"}.get(thing.state, "Succeeded")
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": BALANCER,
        "location": thing.region,
        "tags": thing.facts["tags"],
        "sku": thing.facts["sku"],
        "properties": {"provisioningState": state, **properties},
    }


def _delete(call: Call) -> Answer:
    known = call.get(BALANCER, paths.id_of(call, BALANCER))
    if known is None:
        return Answer(204)
    for address in call.list(ADDRESS):
        user = (address.facts["properties"].get("ipConfiguration") or {}).get("id", "")
        if user.startswith(f"{known.id}/"):
            del address.facts["properties"]["ipConfiguration"]
            call.save(address)
    known.turn("deleting", (call.later(_QUICK), GONE))
    call.save(known)
    return accepted(call, 202, None, call.later(_QUICK), result_ids=[known.id])


def _put_address(call: Call) -> Answer:
    paths.need_group(call)
    body, identifier = call.document(), paths.id_of(call, ADDRESS)
    location, given = paths.need_location(body), body.get("properties") or {}
    known, number = call.get(ADDRESS, identifier), call.things.last_number
    if known is not None:
        known.facts["tags"] = checked(body.get("tags"))
        return accepted(call, 200, _address(call.save(known)), call.now_s, result_ids=[known.id], repeated=True)
    properties = {
        # of the ranges for documentation (RFC 5737), as those of machines
        "ipAddress": f"{'203.0.113' if number % 2 else '198.51.100'}.{number // 2 % 256}",
        "publicIPAllocationMethod": given.get("publicIPAllocationMethod", "Dynamic"),
        "publicIPAddressVersion": given.get("publicIPAddressVersion", "IPv4"),
    }
    facts = {"tags": checked(body.get("tags")), "properties": properties, "sku": body.get("sku") or {"name": "Basic"}}
    made = call.new(ADDRESS, identifier, "creating", facts, region=location, token=facts["tags"].get("canopy:token"),
                    steps=[(call.later(_QUICK), "ready")])  # fmt: skip
    return accepted(call, 201, _address(made), call.later(_QUICK), result_ids=[made.id])


def _address(thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": ADDRESS,
        "location": thing.region,
        "tags": thing.facts.get("tags", {}),
        "sku": thing.facts["sku"],
        "properties": {
            "provisioningState": "Updating" if thing.state == "creating" else "Succeeded",
            **thing.facts["properties"],
        },
    }


def _delete_address(call: Call) -> Answer:
    known = call.get(ADDRESS, paths.id_of(call, ADDRESS))
    if known is None:
        return Answer(204)
    user = (known.facts["properties"].get("ipConfiguration") or {}).get("id")
    if user is not None:
        raise Refusal("invalid", f"Public IP address {known.id} can not be deleted since it is still allocated to "
                      f"resource {user}.", code="PublicIPAddressCannotBeDeleted")  # fmt: skip
    call.things.remove(known)
    return accepted(call, 202, None, call.now_s, result_ids=[known.id])


def _put_interface(call: Call) -> Answer:
    """Of an interface that is there: what pools its addresses are in. New ones come with their machines only."""
    paths.need_group(call)
    known = call.need(INTERFACE, paths.id_of(call, INTERFACE), "Only interfaces of machines are simulated.")
    given = (call.document().get("properties") or {}).get("ipConfigurations") or []
    wanted = {each["name"]: each["properties"].get("loadBalancerBackendAddressPools") or [] for each in given}
    for each in known.facts["properties"]["ipConfigurations"]:
        pools = [{"id": pool["id"]} for pool in wanted.get(each["name"], [])]
        for pool in pools:
            balancer = call.get(BALANCER, pool["id"].rpartition("/backendAddressPools/")[0])
            if balancer is None or pool["id"] not in {e["id"] for e in _pools(balancer)}:
                raise Refusal("invalid", f"Resource {pool['id']} referenced by resource {known.id} was not found.",
                              code="InvalidResourceReference")  # fmt: skip
        each["properties"]["loadBalancerBackendAddressPools"] = pools
    call.save(known)
    return accepted(call, 200, interface_document(known), call.now_s, result_ids=[known.id])


def _pools(balancer: Thing) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = balancer.facts["properties"]["backendAddressPools"]
    return found

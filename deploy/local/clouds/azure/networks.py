"""What do machines stand in: virtual networks, network security groups, network interfaces and public addresses?"""

from __future__ import annotations

import ipaddress
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.operations import accepted
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.controls import GROUP
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

NETWORK = "Microsoft.Network/virtualNetworks"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
INTERFACE = "Microsoft.Network/networkInterfaces"
ADDRESS = "Microsoft.Network/publicIPAddresses"
SHORT = 0.02
"""How much of a change of state a network or a disk takes: seconds where a machine takes minutes."""


def actions() -> list[Action]:
    network, group = paths.in_group(NETWORK), paths.in_group(SECURITY_GROUP)
    interface, address = paths.in_group(INTERFACE), paths.in_group(ADDRESS)
    return [
        Action("PUT", network, "virtual_networks.create_or_update", put_network),
        Action("GET", network, "virtual_networks.get", lambda call: Answer(200, _network(_need(call, NETWORK)))),
        Action("PUT", group, "network_security_groups.create_or_update", put_group),
        Action("GET", group, "network_security_groups.get", lambda call: Answer(200, _group(_need_group(call)))),
        Action("DELETE", group, "network_security_groups.delete", _delete_group),
        Action("GET", interface, "network_interfaces.get", _get_interface),
        Action("GET", paths.in_subscription(INTERFACE), "network_interfaces.list_all",
               lambda call: page(call, call.list(INTERFACE), interface_document)),
        Action("GET", address, "public_ip_addresses.get", lambda call: Answer(200, _document(_need(call, ADDRESS)))),
        Action("GET", paths.in_subscription(ADDRESS), "public_ip_addresses.list_all",
               lambda call: page(call, call.list(ADDRESS), _document)),
    ]  # fmt: skip


def _need(call: Call, kind: str) -> Thing:
    paths.need_group(call)
    return call.need(
        kind, paths.id_of(call, kind), f"The Resource '{kind}/{call.path['name']}' under resource group "
        f"'{call.path['rg']}' was not found.",
    )  # fmt: skip


def _document(thing: Thing) -> dict[str, Any]:
    state = {"creating": "Updating", "deleting": "Deleting"}.get(thing.state, "Succeeded")
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": thing.kind,
        "location": thing.region,
        "tags": thing.facts.get("tags", {}),
        **{name: thing.facts[name] for name in ("sku", "zones") if name in thing.facts},
        "properties": {"provisioningState": state, **thing.facts["properties"]},
    }


def _put(call: Call, kind: str, filed_as: str, facts: dict[str, Any]) -> tuple[Thing, bool]:
    """The thing of this name with these facts, and whether it is new."""
    group, identifier = paths.need_group(call), paths.id_of(call, kind)
    known = call.get(filed_as, identifier)
    if known is not None:
        known.facts = facts
        return call.save(known), False
    state, due = "creating", (call.later(SHORT), "ready")
    return call.new(filed_as, identifier, state, facts, region=group.region, steps=[due]), True


def put_network(call: Call) -> Answer:
    """A PUT describes the whole network: subnets that it does not name are gone."""
    body = call.document()
    properties = body.get("properties") or {}
    identifier = paths.id_of(call, NETWORK)
    subnets = [
        {"id": f"{identifier}/subnets/{each['name']}", "name": each["name"],
         "properties": {"provisioningState": "Succeeded", **(each.get("properties") or {})}}
        for each in properties.get("subnets") or []
    ]  # fmt: skip
    prefixes = (properties.get("addressSpace") or {}).get("addressPrefixes") or []
    if not prefixes:
        raise Refusal("invalid", "Address space is required.", code="InvalidRequestFormat")
    facts = {
        "tags": checked(body.get("tags")),
        "properties": {"addressSpace": {"addressPrefixes": prefixes}, "subnets": subnets},
    }
    made, new = _put(call, NETWORK, NETWORK, facts)
    return accepted(
        call, 201 if new else 200, _network(made), call.later(SHORT), result_ids=[made.id], repeated=not new
    )


def _network(thing: Thing) -> dict[str, Any]:
    return _document(thing)


def need_subnet(call: Call, identifier: str) -> dict[str, Any]:
    """The subnet of an id; raises Refusal `invalid` when there is none."""
    network = call.get(NETWORK, identifier.rpartition("/subnets/")[0])
    found = [each for each in network.facts["properties"]["subnets"] if each["id"] == identifier] if network else []
    if not found:
        raise Refusal("invalid", f"Resource {identifier} referenced by the interface was not found.",
                      code="InvalidResourceReference", field="subnet")  # fmt: skip
    subnet: dict[str, Any] = found[0]
    return subnet


def _rule(name: str, priority: int, direction: str, access: str, source: str, target: str) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            "provisioningState": "Succeeded", "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
            "sourceAddressPrefix": source, "destinationAddressPrefix": target, "access": access, "priority": priority,
            "direction": direction,
        },
    }  # fmt: skip


DEFAULT_RULES = [
    _rule("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    _rule("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    _rule("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    _rule("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    _rule("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    _rule("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
]
"""What every group ends with (learn.microsoft.com/azure/virtual-network/network-security-groups-overview)."""


def put_group(call: Call) -> Answer:
    body = call.document()
    identifier = paths.id_of(call, SECURITY_GROUP)
    rules = (body.get("properties") or {}).get("securityRules") or []
    taken = [(rule["properties"]["direction"], rule["properties"]["priority"]) for rule in rules]
    if len(set(taken)) < len(taken):
        raise Refusal("invalid", "Security rules have the same priority.", code="SecurityRuleConflict")
    if any(not 100 <= priority <= 4096 for _, priority in taken):
        raise Refusal("invalid", "A priority is 100 to 4096.", code="SecurityRuleInvalidPriority")
    kept = [
        {"id": f"{identifier}/securityRules/{rule['name']}", "name": rule["name"],
         "properties": {"provisioningState": "Succeeded", **rule["properties"]}}
        for rule in rules
    ]  # fmt: skip
    facts = {"tags": checked(body.get("tags")), "properties": {"securityRules": kept}}
    made, new = _put(call, SECURITY_GROUP, GROUP, facts)
    return accepted(call, 201 if new else 200, _group(made), call.later(SHORT), result_ids=[made.id])


def _need_group(call: Call) -> Thing:
    paths.need_group(call)
    return call.need(
        GROUP, paths.id_of(call, SECURITY_GROUP), f"The Resource '{SECURITY_GROUP}/{call.path['name']}' was not found."
    )


def _group(thing: Thing) -> dict[str, Any]:
    document = _document(thing)
    document["type"] = SECURITY_GROUP
    document["properties"]["defaultSecurityRules"] = [
        {"id": f"{thing.id}/defaultSecurityRules/{rule['name']}", **rule} for rule in DEFAULT_RULES
    ]
    return document


def _delete_group(call: Call) -> Answer:
    known = call.get(GROUP, paths.id_of(call, SECURITY_GROUP))
    if known is None:
        return Answer(204)
    users = [each.id for each in call.list(INTERFACE) if _group_id(each) == known.id]
    if users:
        message = f"Network security group {known.id} cannot be deleted because it is in use by {users[0]}."
        raise Refusal("invalid", message, code="InUseNetworkSecurityGroupCannotBeDeleted")
    call.things.remove(known)
    return accepted(call, 202, None, call.now_s, result_ids=[known.id])


def _group_id(interface: Thing) -> str:
    return str((interface.facts["properties"].get("networkSecurityGroup") or {}).get("id", ""))


def make_interface(call: Call, machine_id: str, wanted: dict[str, Any], ready_s: float) -> Thing:
    """The interface, with its public address, of a `networkInterfaceConfigurations` entry of a machine."""
    properties = wanted.get("properties") or {}
    configurations = properties.get("ipConfigurations") or []
    if len(configurations) != 1:
        raise Refusal("invalid", "One IP configuration is required.", field="ipConfigurations")
    inner = configurations[0].get("properties") or {}
    subnet = need_subnet(call, str((inner.get("subnet") or {}).get("id", "")))
    identifier = paths.id_of(call, INTERFACE, wanted["name"])
    group = properties.get("networkSecurityGroup")
    if group is not None and call.get(GROUP, group["id"]) is None:
        raise Refusal("invalid", f"Resource {group['id']} referenced by the interface was not found.",
                      code="InvalidResourceReference", field="networkSecurityGroup")  # fmt: skip
    address = inner.get("publicIPAddressConfiguration")
    public = None if address is None else _make_address(call, address, identifier, ready_s)
    network = ipaddress.ip_network(subnet["properties"]["addressPrefix"])
    facts = {
        "properties": {
            "virtualMachine": {"id": machine_id},
            **({"networkSecurityGroup": {"id": group["id"]}} if group else {}),
            "ipConfigurations": [
                {
                    "id": f"{identifier}/ipConfigurations/{configurations[0]['name']}",
                    "name": configurations[0]["name"],
                    "properties": {
                        "privateIPAddress": str(network[4 + call.things.last_number % (network.num_addresses - 8)]),
                        "privateIPAllocationMethod": "Dynamic",
                        "primary": True,
                        "subnet": {"id": subnet["id"]},
                        **({"publicIPAddress": {"id": public.id}} if public else {}),
                    },
                }
            ],
        }
    }
    return call.new(INTERFACE, identifier, "creating", facts, steps=[(ready_s, "ready")])


def _make_address(call: Call, wanted: dict[str, Any], interface_id: str, ready_s: float) -> Thing:
    number = call.things.last_number
    properties = {
        # 203.0.113.0/24 and 198.51.100.0/24 are for documentation (RFC 5737): nobody's address is ever shown.
        "ipAddress": f"{'203.0.113' if number % 2 else '198.51.100'}.{number // 2 % 256}",
        "publicIPAllocationMethod": "Static",
        "publicIPAddressVersion": "IPv4",
        "ipConfiguration": {"id": f"{interface_id}/ipConfigurations/primary"},
    }
    facts = {"properties": properties, "sku": wanted.get("sku") or {"name": "Standard"}}
    return call.new(ADDRESS, paths.id_of(call, ADDRESS, wanted["name"]), "creating", facts, steps=[(ready_s, "ready")])


def addresses_of(call: Call, interface: Thing) -> list[Thing]:
    """The public addresses of an interface."""
    ids = [
        each["properties"]["publicIPAddress"]["id"]
        for each in interface.facts["properties"]["ipConfigurations"]
        if "publicIPAddress" in each["properties"]
    ]
    return [known for known in (call.get(ADDRESS, each) for each in ids) if known is not None]


def _get_interface(call: Call) -> Answer:
    known = _need(call, INTERFACE)
    document = interface_document(known)
    if "publicipaddress" in call.query.get("$expand", "").lower():
        shown = {each.id: _document(each) for each in addresses_of(call, known)}
        for each in document["properties"]["ipConfigurations"]:
            address = each["properties"].get("publicIPAddress")
            if address is not None:
                each["properties"]["publicIPAddress"] = shown.get(address["id"], address)
    return Answer(200, document)


def interface_document(thing: Thing) -> dict[str, Any]:
    """A copy that may be changed."""
    document = _document(thing)
    document["properties"]["ipConfigurations"] = [
        {**each, "properties": dict(each["properties"])} for each in thing.facts["properties"]["ipConfigurations"]
    ]
    return document

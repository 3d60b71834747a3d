"""What are networks and subnetworks of the simulated Google Cloud? Each project has `default`, made with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp.errors import already_exists, in_use, invalid, not_found
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.operations import Change, accepted, failed_on_demand, once
from deploy.local.clouds.gcp.places import REGIONS, number_of, stamp, url
from deploy.local.clouds.world.controls import GROUP, MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call
from deploy.local.clouds.world.things import Thing

NETWORK, SUBNETWORK = "network", "subnetwork"
_DEFAULT = "default"
_SHARE = 0.002


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}"
    network, subnet = f"{base}/global/networks", f"{base}/regions/{{region}}/subnetworks"
    return [
        Action("POST", network, "networks.insert", once(insert)),
        Action("GET", network, "networks.list", list_networks),
        Action("GET", network + "/{network}", "networks.get", get),
        Action("PATCH", network + "/{network}", "networks.patch", once(patch)),
        Action("DELETE", network + "/{network}", "networks.delete", once(delete)),
        Action("POST", subnet, "subnetworks.insert", once(insert_subnet)),
        Action("GET", subnet, "subnetworks.list", list_subnets),
        Action("GET", subnet + "/{subnetwork}", "subnetworks.get", get_subnet),
        Action("DELETE", subnet + "/{subnetwork}", "subnetworks.delete", once(delete_subnet)),
        Action(
            "POST", subnet + "/{subnetwork}/expandIpCidrRange", "subnetworks.expandIpCidrRange", once(expand_subnet)
        ),
    ]


def named(call: Call, address: object, field: str) -> str:
    """The name of the network that a request means. Raises Refusal `invalid` when there is none."""
    name = str(address or f"global/networks/{_DEFAULT}").rpartition("/")[2]
    if name != _DEFAULT and call.get(NETWORK, f"global/networks/{name}") is None:
        raise invalid(field, address, "The referenced network resource cannot be found.")
    return name


def interface(call: Call, asked: Mapping[str, Any]) -> tuple[str, str]:
    """Paths of the network and subnetwork of a machine's interface. Raises Refusal `invalid`."""
    field = "resource.networkInterfaces[0].subnetwork"
    network = named(call, asked.get("network"), "resource.networkInterfaces[0].network")
    subnetwork = str(asked.get("subnetwork") or f"regions/{call.region}/subnetworks/{network}")
    path = "/".join(subnetwork.split("/")[-4:])
    if not path.startswith(f"regions/{call.region}/"):
        raise invalid(field, subnetwork, "Subnetwork must be in the same region as the instance.")
    name = path.rpartition("/")[2]
    known = call.get(SUBNETWORK, path)
    if known is not None:
        return f"global/networks/{known.facts['network']}", path
    if name != _DEFAULT and not _is_auto(call, name):
        raise invalid(field, subnetwork, "The referenced resource does not exist.")
    return f"global/networks/{name}", path


def _is_auto(call: Call, name: str) -> bool:
    known = call.get(NETWORK, f"global/networks/{name}")
    return known is not None and known.facts["autoCreateSubnetworks"]


def _render(call: Call, thing: Thing) -> dict[str, Any]:
    name = thing.facts["name"]
    if thing.facts["autoCreateSubnetworks"]:
        parts = [f"regions/{each}/subnetworks/{name}" for each in sorted(REGIONS)]
    else:
        parts = [each.id for each in _subnets(call, name)]
    shown = {**thing.facts, "kind": "compute#network", "selfLink": url(call, thing.id)}
    return shown | ({"subnetworks": [url(call, each) for each in parts]} if parts else {})


def _the_default(call: Call) -> Thing:
    """Each project has one, which nobody made."""
    account = call.account
    facts = {
        "name": _DEFAULT,
        "id": number_of(account.account_id, _DEFAULT),
        "description": "Default network for the project",
        "autoCreateSubnetworks": True,
        "creationTimestamp": "2014-05-30T18:35:16.413-07:00",
        "routingConfig": {"routingMode": "REGIONAL"},
    }
    return Thing(
        account.provider, account.account_id, "global", NETWORK, f"global/networks/{_DEFAULT}", "READY", facts, 0.0
    )


def insert(call: Call) -> Answer:
    body = call.document()
    path = f"global/networks/{body.get('name')}"
    if body.get("name") == _DEFAULT or call.get(NETWORK, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    number = number_of(path, str(call.things.last_number + 1))
    error = failed_on_demand(call, path)
    if error is None:
        facts = {
            "name": str(body.get("name")),
            "id": number,
            "description": str(body.get("description", "")),
            "autoCreateSubnetworks": bool(body.get("autoCreateSubnetworks", True)),
            "creationTimestamp": stamp(call.now_s),
            "mtu": int(body.get("mtu", 1460)),
            "routingConfig": {"routingMode": (body.get("routingConfig") or {}).get("routingMode", "REGIONAL")},
        }
        call.new(NETWORK, path, "READY", facts)
    return accepted(call, Change("insert", path, number, _SHARE, error))


def list_networks(call: Call) -> Answer:
    rows = [_render(call, each) for each in (_the_default(call), *call.list(NETWORK))]
    return listed(call, "compute#networkList", "global/networks", rows)


def get(call: Call) -> Answer:
    return Answer(200, _render(call, _need(call)))


def patch(call: Call) -> Answer:
    """Only the routing mode of a network can be changed."""
    network, body = _need(call), call.document()
    if network.facts["name"] == _DEFAULT or set(body) - {"routingConfig", "name", "fingerprint"}:
        raise invalid("resource", sorted(body), "Only the routing mode can be patched.")
    network.facts["routingConfig"] = dict(body["routingConfig"])
    call.save(network)
    return accepted(call, Change("patch", network.id, network.facts["id"], 0.0))


def delete(call: Call) -> Answer:
    network = _need(call)
    name, whole = network.facts["name"], f"projects/{call.account.account_id}/{network.id}"
    users = [each.id for each in _subnets(call, name)]
    users += [each.id for each in call.list(GROUP) if each.facts.get("network", _DEFAULT) == name]
    users += [each.id for each in call.list(MACHINE) if _stands_in(each, f"/{network.id}", "network")]
    if name == _DEFAULT or users:
        raise in_use(whole, f"projects/{call.account.account_id}/{(users or [_DEFAULT])[0]}")
    call.things.remove(network)
    return accepted(call, Change("delete", network.id, network.facts["id"], _SHARE))


def insert_subnet(call: Call) -> Answer:
    body, region = call.document(), call.path["region"]
    path = f"regions/{region}/subnetworks/{body.get('name')}"
    network = named(call, body.get("network"), "resource.network")
    if call.get(SUBNETWORK, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    wanted = _range(body.get("ipCidrRange"))
    if any(wanted.overlaps(_range(each.facts["ipCidrRange"])) for each in _subnets(call, network)):
        raise invalid("resource.ipCidrRange", wanted, "IP range overlaps with another subnetwork of the network.")
    facts: dict[str, Any] = {
        "name": str(body.get("name")),
        "id": number_of(path, str(call.things.last_number + 1)),
        "network": network,
        "ipCidrRange": str(wanted),
        "gatewayAddress": str(wanted[1]),
        "creationTimestamp": stamp(call.now_s),
        "privateIpGoogleAccess": bool(body.get("privateIpGoogleAccess")),
        "purpose": "PRIVATE",
        "stackType": "IPV4_ONLY",
    }
    call.new(SUBNETWORK, path, "READY", facts)
    return accepted(call, Change("insert", path, facts["id"], 0.0))


def list_subnets(call: Call) -> Answer:
    rows = [_render_subnet(call, each) for each in call.list(SUBNETWORK, call.path["region"])]
    return listed(call, "compute#subnetworkList", f"regions/{call.path['region']}/subnetworks", rows)


def get_subnet(call: Call) -> Answer:
    return Answer(200, _render_subnet(call, _need_subnet(call)))


def expand_subnet(call: Call) -> Answer:
    subnet, wanted = _need_subnet(call), _range(call.document().get("ipCidrRange"))
    now = _range(subnet.facts["ipCidrRange"])
    if wanted == now or not now.subnet_of(wanted):
        raise invalid("ipCidrRange", wanted, "The new range must contain the current one.")
    subnet.facts["ipCidrRange"] = str(wanted)
    call.save(subnet)
    return accepted(call, Change("expandIpCidrRange", subnet.id, subnet.facts["id"], 0.0))


def delete_subnet(call: Call) -> Answer:
    subnet = _need_subnet(call)
    users = [each.id for each in call.list(MACHINE) if _stands_in(each, f"/{subnet.id}", "subnetwork")]
    if users:
        account = call.account.account_id
        raise in_use(f"projects/{account}/{subnet.id}", f"projects/{account}/{users[0]}")
    call.things.remove(subnet)
    return accepted(call, Change("delete", subnet.id, subnet.facts["id"], 0.0))


def _stands_in(machine: Thing, ending: str, field: str) -> bool:
    interfaces = machine.facts.get("networkInterfaces", []) if machine.state != "DELETED" else []
    return any(str(each[field]).endswith(ending) for each in interfaces)


def _subnets(call: Call, network: str) -> list[Thing]:
    return [each for each in call.list(SUBNETWORK) if each.facts["network"] == network]


def _render_subnet(call: Call, thing: Thing) -> dict[str, Any]:
    return {
        **thing.facts,
        "kind": "compute#subnetwork",
        "network": url(call, f"global/networks/{thing.facts['network']}"),
        "region": url(call, f"regions/{thing.region}"),
        "selfLink": url(call, thing.id),
    }


def _range(text: object) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(str(text))
    except ValueError as error:
        raise invalid("resource.ipCidrRange", text, "Must be a CIDR address range.") from error


def _need(call: Call) -> Thing:
    if call.path["network"] == _DEFAULT:
        return _the_default(call)
    path = f"global/networks/{call.path['network']}"
    found = call.get(NETWORK, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found


def _need_subnet(call: Call) -> Thing:
    path = f"regions/{call.path['region']}/subnetworks/{call.path['subnetwork']}"
    found = call.get(SUBNETWORK, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found

"""What stands behind global load balancers of the simulated Google Cloud: endpoint groups and instance groups of zones?

An endpoint group is of one subnet, and one address of it is in the group once ("Zonal network endpoint groups
overview"). A machine that is deleted is in no group any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local.clouds.gcp import networks
from deploy.local.clouds.gcp.errors import already_exists, in_use, invalid, not_found
from deploy.local.clouds.gcp.instances import NAME
from deploy.local.clouds.gcp.lists import aggregated, listed
from deploy.local.clouds.gcp.operations import Change, accepted, once
from deploy.local.clouds.gcp.places import DELETED, all_scopes, check_zone, number_of, stamp, url
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call
from deploy.local.clouds.world.things import Thing

ENDPOINTS, INSTANCES, SERVICE = "zonal_endpoint_group", "instance_group", "backend_service"
_COLLECTIONS = {ENDPOINTS: "networkEndpointGroups", INSTANCES: "instanceGroups"}
_KIND = "GCE_VM_IP_PORT"
_SHARE = 0.002


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}"
    groups, instances = f"{base}/zones/{{zone}}/networkEndpointGroups", f"{base}/zones/{{zone}}/instanceGroups"
    one, api = groups + "/{group}", "networkEndpointGroups"
    return [
        Action("POST", groups, f"{api}.insert", once(insert)),
        Action("GET", groups, f"{api}.list", list_groups),
        Action("GET", f"{base}/aggregated/{api}", f"{api}.aggregatedList", aggregate_groups),
        Action("GET", one, f"{api}.get", get),
        Action("DELETE", one, f"{api}.delete", once(delete)),
        Action("POST", one + "/attachNetworkEndpoints", f"{api}.attachNetworkEndpoints", once(attach)),
        Action("POST", one + "/detachNetworkEndpoints", f"{api}.detachNetworkEndpoints", once(detach)),
        Action("POST", one + "/listNetworkEndpoints", f"{api}.listNetworkEndpoints", endpoints, mutates=False),
        Action("POST", instances, "instanceGroups.insert", once(insert_instances)),
        Action("POST", instances + "/{group}/addInstances", "instanceGroups.addInstances", once(add_instances)),
        Action("POST", instances + "/{group}/listInstances", "instanceGroups.listInstances", list_instances,
               mutates=False),
    ]  # fmt: skip


def path_of(address: object) -> str:
    """`zones/z/networkEndpointGroups/n` of a full address or a part of one; empty for what is of no zone."""
    parts = str(address or "").split("/")[-4:]
    return "/".join(parts) if parts[0] == "zones" else ""


def insert(call: Call) -> Answer:
    body = call.document()
    if body.get("networkEndpointType") != _KIND:
        raise invalid("resource.networkEndpointType", body.get("networkEndpointType"), f"Only {_KIND}, here.")
    network, subnetwork = networks.interface(call, body)
    more = {"networkEndpointType": _KIND, "network": network, "subnetwork": subnetwork, "endpoints": []}
    return _made(call, ENDPOINTS, body, more)


def list_groups(call: Call) -> Answer:
    zone = check_zone(call.path["zone"])
    rows = [_render(call, each) for each in call.list(ENDPOINTS) if each.id.startswith(f"zones/{zone}/")]
    return listed(call, "compute#networkEndpointGroupList", f"zones/{zone}/networkEndpointGroups", rows)


def aggregate_groups(call: Call) -> Answer:
    scopes: dict[str, list[Mapping[str, Any]]] = {scope: [] for scope in all_scopes()}
    for each in sorted(call.list(ENDPOINTS), key=lambda group: group.id):
        scopes["/".join(each.id.split("/")[:2])].append(_render(call, each))
    return aggregated(call, "compute#networkEndpointGroupAggregatedList", "networkEndpointGroups", scopes)


def get(call: Call) -> Answer:
    return Answer(200, _render(call, _need(call, ENDPOINTS)))


def delete(call: Call) -> Answer:
    group = _need(call, ENDPOINTS)
    for each in call.list(SERVICE):
        if group.id in [backend["group"] for backend in each.facts["backends"]]:
            account = call.account.account_id
            raise in_use(f"projects/{account}/{group.id}", f"projects/{account}/{each.id}")
    call.things.remove(group)
    return accepted(call, Change("delete", group.id, group.facts["id"], 0.0))


def attach(call: Call) -> Answer:
    """One that is attached already stays so."""
    group = _need(call, ENDPOINTS)
    known = _there(call, group)
    for each in call.document().get("networkEndpoints", []):
        endpoint = _endpoint(call, group, each)
        if endpoint in known:
            continue
        if endpoint["ipAddress"] in [other["ipAddress"] for other in known]:
            raise invalid("networkEndpoints[0].ipAddress", endpoint["ipAddress"], "It is in the group already.")
        known.append(endpoint)
    return _changed(call, group, "attachNetworkEndpoints", {"endpoints": known})


def detach(call: Call) -> Answer:
    group = _need(call, ENDPOINTS)
    known, gone = _there(call, group), call.document().get("networkEndpoints", [])
    if any(each not in known for each in gone):
        raise invalid("networkEndpoints[0]", gone, "It is not in the group.")
    return _changed(call, group, "detachNetworkEndpoints", {"endpoints": [each for each in known if each not in gone]})


def endpoints(call: Call) -> Answer:
    rows = [{"networkEndpoint": each, "name": each["ipAddress"]} for each in _there(call, _need(call, ENDPOINTS))]
    answer = listed(call, "compute#networkEndpointGroupsListNetworkEndpoints", "", rows)
    return _listing(answer, "name")


def insert_instances(call: Call) -> Answer:
    return _made(call, INSTANCES, call.document(), {"instances": []})


def add_instances(call: Call) -> Answer:
    group = _need(call, INSTANCES)
    added = [_machine(call, each.get("instance"), "instances[0].instance").id for each in call.document()["instances"]]
    return _changed(call, group, "addInstances", {"instances": [*group.facts["instances"], *added]})


def list_instances(call: Call) -> Answer:
    found = [call.get(MACHINE, each) for each in _need(call, INSTANCES).facts["instances"]]
    rows = [
        {"instance": url(call, each.id), "status": each.state, "name": each.id}
        for each in found
        if each is not None and each.state != DELETED
    ]
    return _listing(listed(call, "compute#instanceGroupsListInstances", "", rows), "name")


def _listing(answer: Answer, ours: str) -> Answer:
    """A list of what has no name of its own: ours was only for the order of its pages."""
    document: Mapping[str, Any] = answer.document
    shown = {name: value for name, value in document.items() if name not in {"selfLink", "items"}}
    items = [{name: value for name, value in each.items() if name != ours} for each in document.get("items", [])]
    return Answer(200, shown | ({"items": items} if items else {}))


def _made(call: Call, kind: str, body: Mapping[str, Any], more: Mapping[str, Any]) -> Answer:
    if not NAME.fullmatch(str(body.get("name", ""))):
        raise invalid("resource.name", body.get("name"), "Must be a match of regex '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?'")
    path = f"zones/{check_zone(call.path['zone'])}/{_COLLECTIONS[kind]}/{body['name']}"
    if call.get(kind, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    number = number_of(path, str(call.things.last_number + 1))
    text, made_at = str(body.get("description", "")), stamp(call.now_s)
    facts = {"name": body["name"], "id": number, "description": text, "creationTimestamp": made_at, **more}
    call.new(kind, path, "READY", facts)
    return accepted(call, Change("insert", path, number, _SHARE))


def _there(call: Call, group: Thing) -> list[dict[str, Any]]:
    """The endpoints of machines that are there."""
    return [each for each in group.facts["endpoints"] if _is_there(call, group, each["instance"])]


def _is_there(call: Call, group: Thing, name: str) -> bool:
    known = call.get(MACHINE, f"zones/{group.id.split('/')[1]}/instances/{name}")
    return known is not None and known.state != DELETED


def _endpoint(call: Call, group: Thing, asked: Mapping[str, Any]) -> dict[str, Any]:
    machine = _machine(call, asked.get("instance"), "networkEndpoints[0].instance")
    interface = machine.facts["networkInterfaces"][0]
    if not interface["subnetwork"].endswith(f"/{group.facts['subnetwork']}"):
        raise invalid(
            "networkEndpoints[0].instance", asked["instance"], "The instance is not in the group's subnetwork."
        )
    port = int(asked.get("port") or 0)
    if not 1 <= port <= 65535:
        raise invalid("networkEndpoints[0].port", port, "A port is needed.")
    return {"instance": machine.facts["name"], "ipAddress": interface["networkIP"], "port": port}


def _machine(call: Call, address: object, field: str) -> Thing:
    """A machine of the group's zone. Raises Refusal `invalid`."""
    name = str(address).rpartition("/")[2]
    known = call.get(MACHINE, f"zones/{call.path['zone']}/instances/{name}")
    if known is None or known.state == DELETED:
        raise invalid(field, address, "The referenced resource cannot be found.")
    return known


def _changed(call: Call, group: Thing, kind: str, facts: Mapping[str, Sequence[Any]]) -> Answer:
    group.facts |= facts
    call.save(group)
    return accepted(call, Change(kind, group.id, group.facts["id"], 0.0))


def _render(call: Call, group: Thing) -> dict[str, Any]:
    return {
        **{name: value for name, value in group.facts.items() if name != "endpoints"},
        "kind": "compute#networkEndpointGroup",
        "network": url(call, group.facts["network"]),
        "subnetwork": url(call, group.facts["subnetwork"]),
        "size": len(_there(call, group)),
        "zone": url(call, f"zones/{group.id.split('/')[1]}"),
        "selfLink": url(call, group.id),
    }


def _need(call: Call, kind: str) -> Thing:
    path = f"zones/{check_zone(call.path['zone'])}/{_COLLECTIONS[kind]}/{call.path['group']}"
    found = call.get(kind, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found

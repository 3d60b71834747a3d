"""What are managed zones and record sets of the simulated Cloud DNS? A change of records is all or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp import labels, networks
from deploy.local.clouds.gcp.lists import paged
from deploy.local.clouds.gcp.places import number_of, stamp
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

ZONE = "dns_zone"
_BASE = "/dns/v1/projects/{project}/managedZones"
_ONE = _BASE + "/{zone}"
_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_TYPES = frozenset({"A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"})
_PAGE_MAX = 100
_SETS_MAX = 1000


def actions() -> list[Action]:
    return [
        Action("POST", _BASE, "dns.managedZones.create", create),
        Action("GET", _BASE, "dns.managedZones.list", list_zones),
        Action("GET", _ONE, "dns.managedZones.get", get),
        Action("PATCH", _ONE, "dns.managedZones.patch", patch),
        Action("DELETE", _ONE, "dns.managedZones.delete", delete),
        Action("GET", _ONE + "/rrsets", "dns.resourceRecordSets.list", list_sets),
        Action("POST", _ONE + "/changes", "dns.changes.create", change),
        Action("GET", _ONE + "/changes/{change}", "dns.changes.get", get_change),
    ]


def create(call: Call) -> Answer:
    body = call.document()
    name, dns_name = str(body.get("name", "")), str(body.get("dnsName", ""))
    if not _NAME.fullmatch(name) or "description" not in body:
        raise Refusal("invalid", f"Invalid value for 'entity.managedZone.name': '{name}'")
    if not dns_name.endswith(".") or "." not in dns_name[:-1]:
        raise Refusal("invalid", f"Invalid value for 'entity.managedZone.dnsName': '{dns_name}'")
    if call.get(ZONE, name) is not None:
        raise Refusal("conflict", f"The resource 'entity.managedZone' named '{name}' already exists")
    shard = "abcde"[int(number_of(name)) % 5]
    servers = [f"ns-cloud-{shard}{number}.googledomains.com." for number in range(1, 5)]
    seen_from = (body.get("privateVisibilityConfig") or {}).get("networks", [])
    for each in seen_from:
        networks.named(call, each.get("networkUrl"), "entity.managedZone.privateVisibilityConfig")
    facts: dict[str, Any] = {
        "name": name,
        "dnsName": dns_name,
        "description": str(body["description"]),
        "id": number_of("zone", name, str(call.things.last_number + 1)),
        "creationTime": stamp(call.now_s),
        "labels": labels.patched({}, body.get("labels", {})),
        "visibility": str(body.get("visibility") or "public"),
        "nameServers": servers,
        "dnssecConfig": {"state": "off", **body.get("dnssecConfig", {}), "kind": "dns#managedZoneDnsSecConfig"},
        "sets": [
            {"name": dns_name, "type": "NS", "ttl": 21600, "rrdatas": servers},
            {"name": dns_name, "type": "SOA", "ttl": 21600,
             "rrdatas": [f"{servers[0]} cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300"]},
        ],
        "changes": {},
    }  # fmt: skip
    if seen_from:
        facts["privateVisibilityConfig"] = {"networks": seen_from}
    made = call.new(ZONE, name, "ACTIVE", facts, region="global")
    return Answer(200, _render(made), result_ids=(name,))


def list_zones(call: Call) -> Answer:
    rows = [_render(each) for each in call.list(ZONE)]
    return paged(call, rows, "name", "managedZones", _PAGE_MAX, "dns#managedZonesListResponse")


def get(call: Call) -> Answer:
    return Answer(200, _render(_need(call)))


def patch(call: Call) -> Answer:
    zone, body = _need(call), call.document()
    if "labels" in body:
        zone.facts["labels"] = labels.patched(zone.facts["labels"], body["labels"])
    if "description" in body:
        zone.facts["description"] = str(body["description"])
    call.save(zone)
    shown = {"kind": "dns#operation", "type": "update", "status": "done", "zoneContext": {"newValue": _render(zone)}}
    return Answer(200, shown, result_ids=(zone.id,))


def delete(call: Call) -> Answer:
    zone = _need(call)
    if len(zone.facts["sets"]) > len(_own(zone)):
        message = f"The resource named '{zone.id}' cannot be deleted because it contains one or more record sets."
        raise Refusal("invalid", message, code="containerNotEmpty")
    call.things.remove(zone)
    return Answer(204, result_ids=(zone.id,))


def list_sets(call: Call) -> Answer:
    zone = _need(call)
    rows = [{**each, "kind": "dns#resourceRecordSet", "key": f"{each['name']} {each['type']}"} for each in _sets(zone)]
    answer = paged(call, rows, "key", "rrsets", _PAGE_MAX, "dns#resourceRecordSetsListResponse")
    for each in answer.document.get("rrsets", []):
        del each["key"]
    return answer


def change(call: Call) -> Answer:
    zone, body = _need(call), call.document()
    added, gone = body.get("additions") or [], body.get("deletions") or []
    if not (added or gone) or len(added) > _SETS_MAX or len(gone) > _SETS_MAX:
        raise Refusal("invalid", "A change has 1 to 1000 additions or deletions.")
    left = {_key(each): each for each in _sets(zone)}
    for each in gone:
        known = left.pop(_key(each), None)
        if known is None:
            raise Refusal("not_found", f"The 'entity.change.deletions' resource named '{_key(each)}' does not exist.")
        if (known["ttl"], sorted(known["rrdatas"])) != (each.get("ttl"), sorted(each.get("rrdatas", []))):
            message = f"Precondition not met for 'entity.change.deletions[{_key(each)}]'"
            raise Refusal("invalid", message, code="conditionNotMet", status=412)
    for each in added:
        if _key(each) in left:
            raise Refusal("conflict", f"The resource 'entity.change.additions' named '{_key(each)}' already exists")
        left[_key(each)] = _checked(each, zone)
    aliases = {name for name, kind in left if kind == "CNAME"}
    if any(name in aliases and kind != "CNAME" for name, kind in left):
        raise Refusal(
            "invalid", "A CNAME is beside another record set of its name.", code="cnameResourceRecordSetConflict"
        )
    if not {("NS"), ("SOA")} <= {kind for name, kind in left if name == zone.facts["dnsName"]}:
        raise Refusal("invalid", "The zone's own NS and SOA cannot be deleted.", code="invalidZoneApex")
    zone.facts["sets"] = list(left.values())
    number = str(len(zone.facts["changes"]) + 1)
    zone.facts["changes"][number] = stamp(call.now_s)
    call.save(zone)
    shown = {"additions": added, "deletions": gone} if added and gone else {"additions": added} if added else {"deletions": gone}  # noqa: E501  # fmt: skip
    return Answer(200, {**_change(zone, number, "pending"), **shown}, result_ids=(zone.id,))


def get_change(call: Call) -> Answer:
    zone, number = _need(call), call.path["change"]
    if number not in zone.facts["changes"]:
        raise Refusal("not_found", f"The 'parameters.changeId' resource named '{number}' does not exist.")
    return Answer(200, _change(zone, number, "done"))


def _change(zone: Thing, number: str, status: str) -> dict[str, Any]:
    return {"kind": "dns#change", "id": number, "startTime": zone.facts["changes"][number], "status": status}


def _render(zone: Thing) -> dict[str, Any]:
    hidden = {"sets", "changes"}
    shown = {name: value for name, value in zone.facts.items() if name not in hidden and value != {}}
    return {**shown, "kind": "dns#managedZone"}


def _sets(zone: Thing) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = zone.facts["sets"]
    return found


def _own(zone: Thing) -> list[dict[str, Any]]:
    name = zone.facts["dnsName"]
    return [each for each in _sets(zone) if each["name"] == name and each["type"] in {"NS", "SOA"}]


def _key(record_set: Mapping[str, Any]) -> tuple[str, str]:
    return str(record_set.get("name")), str(record_set.get("type"))


def _checked(record_set: Mapping[str, Any], zone: Thing) -> dict[str, Any]:
    """Raises Refusal `invalid`."""
    (name, kind), values = _key(record_set), record_set.get("rrdatas")
    inside = name == zone.facts["dnsName"] or name.endswith(f".{zone.facts['dnsName']}")
    if not inside or kind not in _TYPES or not values or not isinstance(record_set.get("ttl"), int):
        raise Refusal("invalid", f"Invalid value for 'entity.change.additions': '{name} {kind}'")
    if kind in {"CNAME", "NS", "PTR"} and not all(str(each).endswith(".") for each in values):
        raise Refusal("invalid", f"Invalid value for 'entity.change.additions.rrdata': '{values}'")
    if kind == "TXT" and not all(str(each).startswith('"') for each in values):
        raise Refusal("invalid", f"Invalid value for 'entity.change.additions.rrdata': '{values}'")
    return {"name": name, "type": kind, "ttl": record_set["ttl"], "rrdatas": [str(each) for each in values]}


def _need(call: Call) -> Thing:
    name = call.path["zone"]
    found = call.get(ZONE, name)
    if found is None:
        raise Refusal("not_found", f"The 'parameters.managedZone' resource named '{name}' does not exist.")
    return found

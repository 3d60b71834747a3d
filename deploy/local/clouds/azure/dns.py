"""How do public DNS zones live, with their record sets?"""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.networks import ADDRESS
from deploy.local.clouds.azure.operations import accepted
from deploy.local.clouds.azure.tags import checked_for_dns
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

ZONE = "Microsoft.Network/dnszones"
"""As Azure writes it in ids; paths have `dnsZones`."""
_PATH_KIND = "Microsoft.Network/dnsZones"
_QUICK = 0.002
_ZONES_MAX, _SETS_MAX, _RECORDS_MAX = 250, 10_000, 20
_PAGE_SIZE = 20
"""Of a list of record sets: a fifth of Azure's, so that a small zone has several pages."""
_VALUES = {
    "A": "ARecords", "AAAA": "AAAARecords", "MX": "MXRecords", "NS": "NSRecords", "PTR": "PTRRecords",
    "SRV": "SRVRecords", "TXT": "TXTRecords", "CAA": "caaRecords",
}  # fmt: skip


def actions() -> list[Action]:
    zone = paths.in_group(_PATH_KIND)
    record = zone + "/{kind}/{record}"
    return [
        Action("PUT", zone, "zones.create_or_update", _put),
        Action("GET", zone, "zones.get", lambda call: Answer(200, _zone(_need(call)))),
        Action("DELETE", zone, "zones.delete", _delete),
        Action("GET", paths.in_subscription("Microsoft.Network/dnszones"), "zones.list", _list),
        Action("GET", paths.in_group(_PATH_KIND, name=False), "zones.list_by_resource_group", _list),
        Action("GET", zone + "/recordsets", "record_sets.list_by_dns_zone", _list_records),
        Action("PUT", record, "record_sets.create_or_update", _put_record),
        Action("GET", record, "record_sets.get", _get_record),
        Action("DELETE", record, "record_sets.delete", _delete_record),
    ]


def _need(call: Call) -> Thing:
    paths.need_group(call)
    message = f"The Resource '{ZONE}/{call.path['name']}' under group '{call.path['rg']}' was not found."
    return call.need(ZONE, paths.id_of(call, ZONE), message)


def _put(call: Call) -> Answer:
    paths.need_group(call)
    body, identifier = call.document(), paths.id_of(call, ZONE)
    known = call.get(ZONE, identifier)
    if str(body.get("location", "")).lower() != "global":
        raise Refusal("invalid", "The location of a DNS zone is 'global'.", code="LocationNotAvailableForResourceType")
    if known is not None and call.http.headers.get("if-none-match") == "*":
        raise Refusal("conflict", f"The Zone {call.path['name']} exists already and hence cannot be created again.",
                      code="PreconditionFailed", status=412)  # fmt: skip
    tags = checked_for_dns(body.get("tags"))
    if known is not None:
        known.facts["tags"] = tags
        return Answer(200, _zone(call.save(known)), result_ids=[identifier])
    if len(call.list(ZONE)) >= _ZONES_MAX:
        raise Refusal("quota", f"The maximum number of zones is {_ZONES_MAX}.", code="DnsZoneQuotaExceeded")
    servers = [f"ns{number}-0{call.things.last_number % 9 + 1}.azure-dns.{top}."
               for number, top in enumerate(("com", "net", "org", "info"), 1)]  # fmt: skip
    facts: dict[str, Any] = {"tags": tags, "servers": servers, "records": {}, "etag": str(uuid.uuid4())}
    made = call.new(ZONE, identifier, "ready", facts, region="global", token=tags.get("canopy_token"))
    _keep(made, "SOA", "@", {"TTL": 3600, "SOARecord": _authority(servers[0])})
    _keep(made, "NS", "@", {"TTL": 172_800, "NSRecords": [{"nsdname": each} for each in servers]})
    return Answer(201, _zone(call.save(made)), result_ids=[identifier])


def _authority(server: str) -> dict[str, Any]:
    return {"host": server, "email": "azuredns-hostmaster.microsoft.com", "serialNumber": 1, "refreshTime": 3600,
            "retryTime": 300, "expireTime": 2_419_200, "minimumTTL": 300}  # fmt: skip


def _keep(zone: Thing, kind: str, record: str, properties: dict[str, Any]) -> None:
    zone.facts["records"][f"{kind}/{record}"] = {"etag": str(uuid.uuid4()), "properties": properties}


def _zone(thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": ZONE,
        "location": "global",
        "etag": thing.facts["etag"],
        "tags": thing.facts["tags"],
        "properties": {
            "maxNumberOfRecordSets": _SETS_MAX,
            "numberOfRecordSets": len(thing.facts["records"]),
            "nameServers": thing.facts["servers"],
            "zoneType": "Public",
        },
    }


def _delete(call: Call) -> Answer:
    known = call.get(ZONE, paths.id_of(call, ZONE))
    if known is None:
        return Answer(204)
    known.turn("deleting", (call.later(_QUICK), GONE))
    call.save(known)
    return accepted(call, 202, None, call.later(_QUICK), result_ids=[known.id])


def _list(call: Call) -> Answer:
    group = call.path.get("rg", "").lower()
    if group:
        paths.need_group(call)
    found = [each for each in call.list(ZONE) if group in {"", paths.group_of(each.id).lower()}]
    return page(call, found, _zone)


def _list_records(call: Call) -> Answer:
    zone = _need(call)
    documents = [_record(zone, key) for key in zone.facts["records"]]
    try:
        start = int(call.query.get("$skiptoken", "0"))
    except ValueError:
        raise Refusal("invalid", "The $skiptoken is invalid.", code="InvalidSkipToken") from None
    body: dict[str, Any] = {"value": documents[start : start + _PAGE_SIZE]}
    if len(documents) > start + _PAGE_SIZE:
        version = call.query.get("api-version", "")
        body["nextLink"] = f"{call.http.base_url}{call.http.path}?api-version={version}&$skiptoken={start + _PAGE_SIZE}"
    return Answer(200, body)


def _record(zone: Thing, key: str) -> dict[str, Any]:
    kind, _, name = key.partition("/")
    known, host = zone.facts["records"][key], paths.name_of(zone.id)
    return {
        "id": f"{zone.id}/{kind}/{name}",
        "name": name,
        "type": f"{ZONE}/{kind}",
        "etag": known["etag"],
        "properties": {
            "provisioningState": "Succeeded",
            "fqdn": f"{host}." if name == "@" else f"{name}.{host}.",
            "targetResource": {},
            **known["properties"],
        },
    }


def _put_record(call: Call) -> Answer:
    zone, kind, name = _need(call), call.path["kind"], call.path["record"]
    properties = call.document().get("properties") or {}
    _check_record(call, zone, kind, name, properties)
    is_new = f"{kind}/{name}" not in zone.facts["records"]
    _keep(zone, kind, name, {each: value for each, value in properties.items() if value not in (None, [], {})})
    call.save(zone)
    return Answer(201 if is_new else 200, _record(zone, f"{kind}/{name}"), result_ids=[zone.id])


def _check_record(call: Call, zone: Thing, kind: str, name: str, properties: dict[str, Any]) -> None:
    if kind == "SOA" or (kind, name) == ("NS", "@"):
        raise Refusal("invalid", f"The {kind} record set at the apex cannot be put.", code="BadRequest")
    values = (
        [properties["CNAMERecord"]] if properties.get("CNAMERecord") else properties.get(_VALUES.get(kind, "")) or []
    )
    target = (properties.get("targetResource") or {}).get("id")
    if target is not None and call.get(ADDRESS, target) is None:
        raise Refusal("invalid", f"The target resource {target} was not found.", code="BadRequest")
    if not values and target is None:
        raise Refusal("invalid", "The record set has no records.", code="BadRequest")
    if len(values) > _RECORDS_MAX or not 1 <= int(properties.get("TTL") or 0) <= 2_147_483_647:
        raise Refusal("invalid", "The record set has too many records or no TTL.", code="BadRequest")
    others = {each.partition("/")[0] for each in zone.facts["records"] if each.partition("/")[2] == name} - {kind}
    if "CNAME" in others or (kind == "CNAME" and others):
        raise Refusal("conflict", f"The record set {name} conflicts with a CNAME record set.", code="Conflict")


def _get_record(call: Call) -> Answer:
    zone, key = _need(call), f"{call.path['kind']}/{call.path['record']}"
    if key not in zone.facts["records"]:
        raise Refusal("not_found", f"The resource record '{call.path['record']}' does not exist.", code="NotFound")
    return Answer(200, _record(zone, key))


def _delete_record(call: Call) -> Answer:
    zone, key = _need(call), f"{call.path['kind']}/{call.path['record']}"
    if zone.facts["records"].pop(key, None) is None:
        return Answer(204)
    call.save(zone)
    return Answer(200, result_ids=[zone.id])

"""What are domains and records of the simulated DNS? A domain is one only in all accounts."""

from __future__ import annotations

import re
import uuid
from typing import Any

from deploy.local.clouds.vultr.answers import moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing
from shared.clouds.vultr.dns_models import MARK_NAME

DOMAIN = "dns_domain"
_PATH = "/v2/domains"
_ONE = f"{_PATH}/{{id}}"
_RECORD = f"{_ONE}/records/{{record}}"
_DOMAIN = re.compile(r"([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}")
_TYPES = ("A", "AAAA", "CNAME", "NS", "MX", "SRV", "TXT", "CAA", "SSHFP")
_PRIORITIZED = ("MX", "SRV")
_SERVERS = ("ns1.vultr.com", "ns2.vultr.com")
_TTL_S = 300


def actions() -> list[Action]:
    return [
        Action("POST", _PATH, "domains.create", create),
        Action("GET", _PATH, "domains.list", listed),
        Action("GET", _ONE, "domains.get", lambda call: Answer(200, {"domain": document(_need(call))})),
        Action("PUT", _ONE, "domains.update", update),
        Action("DELETE", _ONE, "domains.delete", delete),
        Action("POST", f"{_ONE}/records", "records.create", create_record),
        Action("GET", f"{_ONE}/records", "records.list", list_records),
        Action("GET", _RECORD, "records.get", lambda call: Answer(200, {"record": _need_record(call)})),
        Action("PATCH", _RECORD, "records.update", update_record),
        Action("DELETE", _RECORD, "records.delete", delete_record),
    ]


def create(call: Call) -> Answer:
    """With an address it begins with records that lead there."""
    wanted = call.document()
    name = str(wanted.get("domain") or "")
    if not _DOMAIN.fullmatch(name):
        raise Refusal("invalid", "Invalid domain.")
    if any(each.id == name for each in call.things.everything(call.account.provider, DOMAIN)):
        raise Refusal("invalid", "Domain already exists")
    facts: dict[str, Any] = {"dns_sec": str(wanted.get("dns_sec") or "disabled"), "records": [], "count": 0}
    for server in _SERVERS:
        _add(facts, name, {"type": "NS", "name": "", "data": server})
    if wanted.get("ip"):
        _add(facts, name, {"type": "A", "name": "", "data": wanted["ip"]})
        _add(facts, name, {"type": "CNAME", "name": "*", "data": name})
        _add(facts, name, {"type": "MX", "name": "", "data": name, "priority": 10})
    made = call.new(DOMAIN, name, "there", facts, region="global")
    return Answer(200, {"domain": document(made)}, result_ids=[name])


def listed(call: Call) -> Answer:
    return page_of(call, "domains", call.list(DOMAIN), lambda each: each.number, document)


def update(call: Call) -> Answer:
    domain, wanted = _need(call), call.document().get("dns_sec")
    if wanted not in {"enabled", "disabled"}:
        raise Refusal("invalid", "Invalid dns_sec.")
    domain.facts["dns_sec"] = wanted
    call.save(domain)
    return Answer(204, result_ids=[domain.id])


def delete(call: Call) -> Answer:
    domain = _need(call)
    call.things.remove(domain)
    return Answer(204, result_ids=[domain.id])


def create_record(call: Call) -> Answer:
    domain, wanted = _need(call), call.document()
    kind, name = wanted.get("type"), str(wanted.get("name") or "")
    if kind not in _TYPES:
        raise Refusal("invalid", "Invalid type.")
    beside = [each["type"] for each in domain.facts["records"] if each["name"] == name]
    if "CNAME" in beside or (kind == "CNAME" and beside):
        raise Refusal("invalid", "Unable to add record: a CNAME record cannot exist beside others of its name.")
    record = _add(domain.facts, domain.id, {**wanted, "name": name})
    call.save(domain)
    return Answer(201, {"record": record}, result_ids=[domain.id])


def list_records(call: Call) -> Answer:
    records = _need(call).facts["records"]
    return page_of(call, "records", records, lambda each: each["number"], _shown)


def update_record(call: Call) -> Answer:
    domain, record, wanted = _need(call), _need_record(call), call.document()
    changed = {name: value for name, value in wanted.items() if name in {"name", "data", "ttl", "priority"}}
    domain.facts["records"] = [
        {**each, **_checked({**each, **changed})} if each["id"] == record["id"] else each
        for each in domain.facts["records"]
    ]
    call.save(domain)
    return Answer(204, result_ids=[domain.id])


def delete_record(call: Call) -> Answer:
    domain, record = _need(call), _need_record(call)
    domain.facts["records"] = [each for each in domain.facts["records"] if each["id"] != record["id"]]
    call.save(domain)
    return Answer(204, result_ids=[domain.id])


def tags_of(domain: Thing) -> dict[str, str]:
    """The token that a client left in a text."""
    marks = [each["data"] for each in domain.facts["records"] if (each["type"], each["name"]) == ("TXT", MARK_NAME)]
    return dict(each.strip('"').split("=", 1) for each in marks if "=" in each)


def _need(call: Call) -> Thing:
    return call.need(DOMAIN, call.path["id"])


def _need_record(call: Call) -> dict[str, Any]:
    found = next((each for each in _need(call).facts["records"] if each["id"] == call.path["record"]), None)
    if found is None:
        raise Refusal("not_found")
    return _shown(found)


def _add(facts: dict[str, Any], domain: str, wanted: dict[str, Any]) -> dict[str, Any]:
    facts["count"] += 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"record {domain} {facts['count']}"))
    record = {**_checked(wanted), "id": identifier, "number": facts["count"]}
    facts["records"].append(record)
    return _shown(record)


def _checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """A text begins and ends with a quote, and has none within."""
    kind, data = wanted["type"], str(wanted.get("data") or "")
    quoted = len(data) > 2 and data.startswith('"') and data.endswith('"') and '"' not in data[1:-1]
    if not data or (kind == "TXT" and not quoted):
        raise Refusal("invalid", "Invalid data.")
    priority = int(wanted.get("priority") or 0) if kind in _PRIORITIZED else 0
    ttl_s = int(wanted.get("ttl") or _TTL_S)
    return {"type": kind, "name": wanted["name"], "data": data, "ttl": ttl_s, "priority": priority}


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("id", "type", "name", "data", "priority", "ttl")}


def document(domain: Thing) -> dict[str, Any]:
    return {"domain": domain.id, "date_created": moment(domain.created_s), "dns_sec": domain.facts["dns_sec"]}

"""How do the simulated domains and their records come and go?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.linode.instances import checked_tags
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

DOMAIN = "domain"
FIRST_NUMBER = 3_000_000
DOMAIN_LIMIT = 5000
TTLS_S = (0, 30, 120, 300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200)
_NAME = re.compile(r"([a-z0-9_-]+\.)+[a-z0-9-]{2,63}")
_TYPES = ("A", "AAAA", "NS", "MX", "CNAME", "TXT", "SRV", "PTR", "CAA")
_FIELDS: Mapping[str, Any] = {
    "type": "", "name": "", "target": "", "priority": 0, "weight": 0, "port": 0, "service": None, "protocol": None,
    "ttl_sec": 0, "tag": None,
}  # fmt: skip


def actions() -> list[Action]:
    base = "/v4/domains"
    one, record = f"{base}/{{id}}", f"{base}/{{id}}/records/{{record}}"
    return [
        Action("POST", base, "domains.create", _create),
        Action("GET", base, "domains.list", lambda call: page_of(call, call.list(DOMAIN), _document)),
        Action("GET", one, "domains.get", lambda call: Answer(200, _document(_needed(call)))),
        Action("PUT", one, "domains.update", _update),
        Action("DELETE", one, "domains.delete", _delete),
        Action("GET", f"{one}/records", "records.list", _records),
        Action("POST", f"{one}/records", "records.create", _create_record),
        Action("GET", record, "records.get", lambda call: Answer(200, _shown(_needed(call), _record_of(call)))),
        Action("PUT", record, "records.update", _update_record),
        Action("DELETE", record, "records.delete", _delete_record),
    ]


def _create(call: Call) -> Answer:
    wanted = call.document()
    name, role = str(wanted.get("domain") or "").lower(), str(wanted.get("type") or "")
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "Domain is not valid", field="domain")
    if role not in {"master", "slave"}:
        raise Refusal("invalid", "Must be one of master, slave", field="type")
    if role == "master" and "@" not in str(wanted.get("soa_email") or ""):
        raise Refusal("invalid", "soa_email required when type=master", field="soa_email")
    if any(each.facts["domain"] == name for each in call.things.everything(call.account.provider, DOMAIN)):
        raise Refusal("conflict", "DNS zone already exists.", field="domain")
    if len(call.list(DOMAIN)) >= DOMAIN_LIMIT:
        raise Refusal("quota")
    number = FIRST_NUMBER + call.things.last_number + 1
    facts = {
        "domain": name, "role": role, "soa_email": wanted.get("soa_email"), "ttl_sec": wanted.get("ttl_sec") or 0,
        "description": str(wanted.get("description") or ""), "tags": checked_tags(wanted.get("tags") or []),
        "records": [], "next": number * 1000, "updated_s": call.now_s,
    }  # fmt: skip
    domain = call.new(DOMAIN, str(number), "active", facts, region="global")
    return Answer(200, _document(domain), result_ids=[domain.id])


def _update(call: Call) -> Answer:
    domain, wanted = _needed(call), call.document()
    if "tags" in wanted:
        domain.facts["tags"] = checked_tags(wanted["tags"])
    domain.facts |= {name: wanted[name] for name in ("soa_email", "description", "ttl_sec") if name in wanted}
    return _saved(call, domain, _document(domain))


def _delete(call: Call) -> Answer:
    domain = _needed(call)
    call.things.remove(domain)
    return Answer(200, {}, result_ids=[domain.id])


def _records(call: Call) -> Answer:
    domain = _needed(call)
    return page_of(call, domain.facts["records"], lambda each: _shown(domain, each))


def _create_record(call: Call) -> Answer:
    domain = _needed(call)
    record = _checked({**_FIELDS, **call.document()})
    _refuse_beside_alias(domain, record)
    domain.facts["next"] += 1
    record |= {"id": domain.facts["next"], "created_s": call.now_s}
    domain.facts["records"].append(record)
    return _saved(call, domain, _shown(domain, record))


def _update_record(call: Call) -> Answer:
    domain, record = _needed(call), _record_of(call)
    record |= _checked({**record, **call.document()})
    return _saved(call, domain, _shown(domain, record))


def _delete_record(call: Call) -> Answer:
    domain = _needed(call)
    domain.facts["records"].remove(_record_of(call))
    return _saved(call, domain, {})


def _needed(call: Call) -> Thing:
    return call.need(DOMAIN, call.path["id"])


def _record_of(call: Call) -> dict[str, Any]:
    found = [each for each in _needed(call).facts["records"] if str(each["id"]) == call.path["record"]]
    if not found:
        raise Refusal("not_found")
    record: dict[str, Any] = found[0]
    return record


def _saved(call: Call, domain: Thing, document: dict[str, Any]) -> Answer:
    domain.facts["updated_s"] = call.now_s
    call.save(domain)
    return Answer(200, document, result_ids=[domain.id])


def _checked(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a record: a TTL is rounded, a service's name made of its parts."""
    kind, target = wanted["type"], str(wanted["target"] or "")
    if kind not in _TYPES:
        raise Refusal("invalid", f"Must be one of {', '.join(_TYPES)}", field="type")
    if kind in {"A", "AAAA"} and not _is_address(target, 4 if kind == "A" else 6):
        raise Refusal("invalid", "Must be an IP address", field="target")
    if not target:
        raise Refusal("invalid", "target is required", field="target")
    if kind == "CAA" and wanted["tag"] not in {"issue", "issuewild", "iodef"}:
        raise Refusal("invalid", "Must be one of issue, issuewild, iodef", field="tag")
    if kind == "SRV" and not wanted["service"]:
        raise Refusal("invalid", "service is required", field="service")
    name = str(wanted["name"] or "").lower()
    if kind == "SRV":
        name = f"_{wanted['service']}._{wanted['protocol'] or 'tcp'}"
    ttl_s = min(TTLS_S, key=lambda each: abs(each - int(wanted["ttl_sec"] or 0)))
    return {**{each: wanted[each] for each in _FIELDS}, "name": name, "ttl_sec": ttl_s}


def _refuse_beside_alias(domain: Thing, record: Mapping[str, Any]) -> None:
    beside = [each for each in domain.facts["records"] if each["name"] == record["name"]]
    if beside and "CNAME" in {record["type"], *(each["type"] for each in beside)}:
        raise Refusal("invalid", "Hostname conflicts with a CNAME record", field="name")


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _document(domain: Thing) -> dict[str, Any]:
    facts = domain.facts
    return {
        "id": int(domain.id), "domain": facts["domain"], "type": facts["role"], "status": domain.state,
        "soa_email": facts["soa_email"], "description": facts["description"], "tags": facts["tags"], "group": "",
        "ttl_sec": facts["ttl_sec"], "refresh_sec": 0, "retry_sec": 0, "expire_sec": 0, "master_ips": [],
        "axfr_ips": [], "created": moment(domain.created_s), "updated": moment(facts["updated_s"]),
    }  # fmt: skip


def _shown(domain: Thing, record: Mapping[str, Any]) -> dict[str, Any]:
    created = moment(record.get("created_s", domain.created_s))
    return {
        **{name: value for name, value in record.items() if name != "created_s"}, "created": created,
        "updated": moment(domain.facts["updated_s"]),
    }  # fmt: skip

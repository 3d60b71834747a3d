"""How do the simulated domains keep their records: one for each value, hosts without their last dot?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.digitalocean.answers import page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

DOMAIN = "domain"
_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TYPES = frozenset({"A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"})
_HOSTS = frozenset({"CNAME", "MX", "NS", "SRV", "CAA"})
_DEFAULT_TTL_S, _SHORTEST_TTL_S = 1800, 30
_TXT_CHARACTERS_MAX = 512
_FIRST_NUMBER, _RECORDS_MAX = 28_000_000, 10_000
_FIELDS = ("type", "name", "data", "priority", "port", "ttl", "weight", "flags", "tag")

Record = dict[str, Any]


def actions() -> list[Action]:
    records = "/v2/domains/{name}/records"
    return [
        Action("POST", "/v2/domains", "domains.create", create),
        Action("GET", "/v2/domains", "domains.list", listed),
        Action("GET", "/v2/domains/{name}", "domains.get", read),
        Action("DELETE", "/v2/domains/{name}", "domains.delete", delete),
        Action("POST", records, "domain_records.create", create_record),
        Action("GET", records, "domain_records.list", list_records),
        Action("PUT", records + "/{id}", "domain_records.update", update_record),
        Action("PATCH", records + "/{id}", "domain_records.update", update_record),
        Action("DELETE", records + "/{id}", "domain_records.delete", delete_record),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    name = str(wanted.get("name") or "")
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "Domain name is invalid")
    if any(each.id == name for each in call.things.everything(call.account.provider, DOMAIN)):
        raise Refusal("invalid", "Name already exists")
    domain = call.new(DOMAIN, name, "there", {"name": name, "records": [], "last": 0}, region="global")
    _add(domain, {"type": "SOA", "name": "@", "data": "1800"})
    for number in (1, 2, 3):
        _add(domain, {"type": "NS", "name": "@", "data": f"ns{number}.digitalocean.com"})
    if wanted.get("ip_address"):
        _add(domain, {"type": "A", "name": "@", "data": str(wanted["ip_address"])})
    call.save(domain)
    return Answer(201, {"domain": document(domain)}, result_ids=[name])


def listed(call: Call) -> Answer:
    return page_of(call, "domains", call.list(DOMAIN), document)


def read(call: Call) -> Answer:
    return Answer(200, {"domain": document(call.need(DOMAIN, call.path["name"]))})


def delete(call: Call) -> Answer:
    domain = call.need(DOMAIN, call.path["name"])
    call.things.remove(domain)
    return Answer(204, result_ids=[domain.id])


def list_records(call: Call) -> Answer:
    records = call.need(DOMAIN, call.path["name"]).facts["records"]
    if kind := call.query.get("type"):
        records = [each for each in records if each["type"] == kind]
    return page_of(call, "domain_records", records)


def create_record(call: Call) -> Answer:
    domain = call.need(DOMAIN, call.path["name"])
    wanted = _checked(domain, call.document(), None)
    if len(domain.facts["records"]) >= _RECORDS_MAX:
        raise Refusal("invalid", "domain record limit reached")
    record = _add(domain, wanted)
    call.save(domain)
    return Answer(201, {"domain_record": record}, result_ids=[str(record["id"])])


def update_record(call: Call) -> Answer:
    domain = call.need(DOMAIN, call.path["name"])
    record = _record(domain, call.path["id"])
    wanted = {name: value for name, value in call.document().items() if value is not None}
    record |= _checked(domain, {**record, "data": _written(record), **wanted}, record)
    _level(domain, record)
    call.save(domain)
    return Answer(200, {"domain_record": record}, result_ids=[str(record["id"])])


def delete_record(call: Call) -> Answer:
    domain = call.need(DOMAIN, call.path["name"])
    record = _record(domain, call.path["id"])
    domain.facts["records"].remove(record)
    call.save(domain)
    return Answer(204, result_ids=[str(record["id"])])


def document(domain: Thing) -> dict[str, Any]:
    lines = [f"$ORIGIN {domain.id}.", f"$TTL {_DEFAULT_TTL_S}"]
    lines += [f"{each['name']} {each['ttl']} IN {each['type']} {each['data']}" for each in domain.facts["records"]]
    return {"name": domain.id, "ttl": _DEFAULT_TTL_S, "zone_file": "\n".join(lines) + "\n"}


def texts_of(domain: Thing, name: str) -> list[str]:
    """What its TXT records of this name say."""
    return [each["data"] for each in domain.facts["records"] if (each["name"], each["type"]) == (name, "TXT")]


def _record(domain: Thing, number: str) -> Record:
    found = next((each for each in domain.facts["records"] if str(each["id"]) == number), None)
    if found is None:
        raise Refusal("not_found")
    return found  # type: ignore[no-any-return]


def _add(domain: Thing, wanted: Record) -> Record:
    domain.facts["last"] += 1
    number = _FIRST_NUMBER + domain.number * _RECORDS_MAX + domain.facts["last"]
    record = {"id": number, **{name: wanted.get(name) for name in _FIELDS}}
    record["ttl"] = wanted.get("ttl") or _DEFAULT_TTL_S
    domain.facts["records"].append(record)
    _level(domain, record)
    return record


def _level(domain: Thing, record: Record) -> None:
    """Records of one name and type have one TTL (RFC 2181 5.2): the last that was said."""
    for each in domain.facts["records"]:
        if (each["name"], each["type"]) == (record["name"], record["type"]):
            each["ttl"] = record["ttl"]


def _checked(domain: Thing, wanted: Record, own: Record | None) -> Record:
    """As it is kept: hosts without their last dot, the domain itself as @."""
    kind, name, data = str(wanted.get("type")), str(wanted.get("name") or "@"), str(wanted.get("data") or "")
    if kind not in _TYPES - {"SOA"}:
        raise Refusal("invalid", "Type is not supported")
    if not data:
        raise Refusal("invalid", "Data can't be blank")
    if (wanted.get("ttl") or _DEFAULT_TTL_S) < _SHORTEST_TTL_S:
        raise Refusal("invalid", f"Ttl must be greater than or equal to {_SHORTEST_TTL_S}")
    if kind == "TXT" and (len(data) > _TXT_CHARACTERS_MAX or "\\" in data):
        raise Refusal("invalid", "Data is too long or has invalid characters")
    others = [each for each in domain.facts["records"] if each is not own and each["name"] == name]
    if others and (kind == "CNAME" or any(each["type"] == "CNAME" for each in others)):
        raise Refusal("invalid", "CNAME records cannot share a name with other records")
    if kind in _HOSTS and wanted.get("tag") != "iodef":
        data = _host(domain, data)
    missing = {"MX": ["priority"], "SRV": ["priority", "port", "weight"], "CAA": ["flags", "tag"]}.get(kind, [])
    for field in missing:
        if wanted.get(field) is None:
            raise Refusal("invalid", f"{field.capitalize()} can't be blank")
    return {**{each: wanted.get(each) for each in _FIELDS}, "name": name, "data": data,
            "ttl": wanted.get("ttl") or _DEFAULT_TTL_S}  # fmt: skip


def _host(domain: Thing, data: str) -> str:
    if data != "@" and not data.endswith("."):
        raise Refusal("invalid", "Data needs to end with a dot (.)")
    return "@" if data == f"{domain.id}." else data.removesuffix(".")


def _written(record: Record) -> str:
    """A record's data as a request has it."""
    if record["type"] not in _HOSTS or record.get("tag") == "iodef" or record["data"] == "@":
        return str(record["data"])
    return f"{record['data']}."

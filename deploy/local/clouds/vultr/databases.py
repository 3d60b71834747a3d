"""How do the simulated managed databases live: built, given another plan, copied, deleted?"""

from __future__ import annotations

import re
import uuid
from typing import Any

from deploy.local.clouds.vultr import offers
from deploy.local.clouds.vultr.answers import moment
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GROUP, Thing

DATABASE = "managed_database"
PASSWORD = "AVNS_8E9hjx1LdsiA5EZ"
_PATH = "/v2/databases"
_PLAN = re.compile(r"vultr-dbaas-(hobbyist|startup|business|premium)-cc-(\d+)-(\d+)-(\d+)")
"""A plan's id says its processors, its disk and its memory in GB."""
_STANDBYS = {"hobbyist": 0, "startup": 0, "business": 1, "premium": 2}
_VERSIONS = {"mysql": ("8",), "pg": ("13", "14", "15", "16", "17"), "valkey": ("7",)}
_PORT = 16_751


def actions() -> list[Action]:
    return [
        Action("POST", _PATH, "databases.create", create),
        Action("GET", _PATH, "databases.list", listed),
        Action("GET", f"{_PATH}/{{id}}", "databases.get", read),
        Action("PUT", f"{_PATH}/{{id}}", "databases.update", update),
        Action("DELETE", f"{_PATH}/{{id}}", "databases.delete", delete),
        Action("POST", f"{_PATH}/{{id}}/read-replica", "databases.copy", copy),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    region, engine = str(wanted.get("region")).lower(), str(wanted.get("database_engine"))
    if not offers.is_region(region):
        raise Refusal("invalid", "Invalid region.")
    if str(wanted.get("database_engine_version")) not in _VERSIONS.get(engine, ()):
        raise Refusal("invalid", "Invalid database engine version.")
    network = str(wanted.get("vpc_id") or "")
    if network and ((found := call.get(GROUP, network)) is None or found.region != region):
        raise Refusal("invalid", "Invalid private network ID.")
    facts = {
        "engine": engine, "version": str(wanted["database_engine_version"]), "plan": _plan(wanted.get("plan")),
        "label": _label(wanted), "vpc": network, "trusted_ips": list(wanted.get("trusted_ips") or []), "source": "",
    }  # fmt: skip
    return _new(call, facts, region)


def copy(call: Call) -> Answer:
    """A readable copy, with everything else as it is at the source."""
    source, wanted = call.need(DATABASE, call.path["id"]), call.document()
    region = str(wanted.get("region") or source.region).lower()
    if not offers.is_region(region):
        raise Refusal("invalid", "Invalid region.")
    return _new(call, {**source.facts, "label": _label(wanted), "source": source.id, "vpc": ""}, region)


def _new(call: Call, facts: dict[str, Any], region: str) -> Answer:
    number = call.things.last_number + 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"database {call.account.account_id} {number}"))
    steps = [(call.later(0.5), "Configuring"), (call.later(), "Running")]
    made = call.new(DATABASE, identifier, "Rebuilding", facts, region=region, steps=steps)
    return Answer(202, {"database": document(call, made)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    """All at once; a copy is within its source."""
    found = call.list(DATABASE)
    for name in ("label", "region"):
        if name in call.query:
            found = [each for each in found if getattr(each, name, each.facts.get(name)) == call.query[name]]
    shown = [document(call, each) for each in found if not _has_source(call, each)]
    return Answer(200, {"databases": shown, "meta": {"total": len(shown)}})


def read(call: Call) -> Answer:
    return Answer(200, {"database": document(call, call.need(DATABASE, call.path["id"]))})


def update(call: Call) -> Answer:
    """Fields that are left out stay. Another plan is built beside the old one, which serves meanwhile."""
    database, wanted = call.need(DATABASE, call.path["id"]), call.document()
    if "label" in wanted:
        database.facts["label"] = _label(wanted)
    if "trusted_ips" in wanted:
        database.facts["trusted_ips"] = list(wanted["trusted_ips"])
    if "plan" in wanted and _plan(wanted["plan"]) != database.facts["plan"]:
        if database.state != "Running":
            raise Refusal("wrong_state", "This database is currently locked.")
        database.facts["plan"] = wanted["plan"]
        database.turn("Rebuilding", (call.later(), "Running"))
    call.save(database)
    return Answer(202, {"database": document(call, database)}, result_ids=[database.id])


def delete(call: Call) -> Answer:
    """With its copies."""
    database = call.need(DATABASE, call.path["id"])
    for each in [*_copies(call, database), database]:
        call.things.remove(each)
    return Answer(204, result_ids=[database.id])


def _copies(call: Call, database: Thing) -> list[Thing]:
    return [each for each in call.list(DATABASE) if each.facts["source"] == database.id]


def _has_source(call: Call, database: Thing) -> bool:
    return bool(database.facts["source"]) and call.get(DATABASE, database.facts["source"]) is not None


def _plan(identifier: object) -> str:
    if not _PLAN.fullmatch(str(identifier)):
        raise Refusal("invalid", "Invalid plan.")
    return str(identifier)


def _label(wanted: dict[str, Any]) -> str:
    if not wanted.get("label"):
        raise Refusal("invalid", "Label is required.")
    return str(wanted["label"])


def document(call: Call, database: Thing) -> dict[str, Any]:
    facts, plan = database.facts, _PLAN.fullmatch(database.facts["plan"])
    tier, *sizes = plan.groups() if plan is not None else ("hobbyist", "1", "25", "1")
    vcpus, disk, memory = map(int, sizes)
    host = f"vultr-prod-{database.id}-vultr-prod-85e0.vultrdb.com"
    was_backed_up = call.now_s - database.created_s > call.state_seconds
    return {
        "id": database.id, "date_created": moment(database.created_s)[:19].replace("T", " "), "plan": facts["plan"],
        "plan_disk": disk, "plan_ram": memory * 1024, "plan_vcpus": vcpus, "plan_replicas": _STANDBYS[tier],
        "region": database.region.upper(), "database_engine": facts["engine"],
        "database_engine_version": facts["version"], "vpc_id": facts["vpc"], "status": database.state,
        "label": facts["label"], "tag": "", "dbname": "defaultdb", "host": f"private-{host}" if facts["vpc"] else host,
        "public_host": f"public-{host}" if facts["vpc"] else "", "user": "vultradmin", "password": PASSWORD,
        "port": str(_PORT), "maintenance_dow": "sunday", "maintenance_time": "02:00:00",
        "latest_backup": moment(database.created_s)[:19].replace("T", " ") if was_backed_up else "",
        "trusted_ips": [each.removesuffix("/32") for each in facts["trusted_ips"]], "parent_id": facts["source"],
        "cluster_time_zone": "UTC", "read_replicas": [document(call, each) for each in _copies(call, database)],
    }  # fmt: skip

"""How do the simulated managed databases live: made in minutes, resized, suspended and resumed?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.linode import offers, vpcs
from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

DATABASE = "database"
FIRST_NUMBER = 200_000
DATABASE_LIMIT = 5000
_LABEL = re.compile(r"[A-Za-z0-9_-]{3,32}")
_VERSIONS = {"mysql": {"8": "8.0.35"}, "postgresql": {"14": "14.15", "15": "15.10", "16": "16.6", "17": "17.2"}}
_PORTS = {"mysql": 3306, "postgresql": 5432}


def actions() -> list[Action]:
    base = "/v4/databases/{engine}/instances"
    one = f"{base}/{{id}}"
    return [
        Action("GET", "/v4/databases/instances", "databases.list", _listed),
        Action("GET", base, "databases.list_of_engine", _listed),
        Action("POST", base, "databases.create", _create),
        Action("GET", one, "databases.get", lambda call: Answer(200, _document(_needed(call)))),
        Action("PUT", one, "databases.update", _update),
        Action("DELETE", one, "databases.delete", _delete),
        Action("GET", f"{one}/credentials", "databases.credentials", _credentials),
        Action("POST", f"{one}/suspend", "databases.suspend", _suspend),
        Action("POST", f"{one}/resume", "databases.resume", _resume),
    ]


def identifier_of(path: Any) -> str:
    """A database's own, from what its path says."""
    return f"{path['engine']}/{path['id']}"


def _listed(call: Call) -> Answer:
    engine = call.path.get("engine")
    found = [each for each in call.list(DATABASE) if engine in {None, each.facts["engine"]}]
    return page_of(call, found, _document)


def _create(call: Call) -> Answer:
    wanted, engine = call.document(), call.path["engine"]
    region, label = str(wanted.get("region")), str(wanted.get("label") or "")
    name, _, version = str(wanted.get("engine") or "").partition("/")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "region is not valid", field="region")
    if name != engine or version not in _VERSIONS.get(engine, {}):
        raise Refusal("invalid", "engine is not valid", field="engine")
    if not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must be 3-32 characters", field="label")
    if any(each.facts["label"] == label for each in call.list(DATABASE)):
        raise Refusal("conflict", "Label must be unique among your databases", field="label")
    if len(call.list(DATABASE)) >= DATABASE_LIMIT:
        raise Refusal("quota")
    facts = {
        "label": label, "engine": engine, "version": _VERSIONS[engine][version],
        "type": _type(wanted.get("type")), "cluster_size": _size(wanted.get("cluster_size", 1)),
        "allow_list": list(wanted.get("allow_list") or []), "updated_s": call.now_s,
        "private_network": _private(call, wanted.get("private_network"), region),
    }  # fmt: skip
    identifier = f"{engine}/{FIRST_NUMBER + call.things.last_number + 1}"
    last = "failed" if call.fails_operation else "active"
    database = call.new(DATABASE, identifier, "provisioning", facts, region=region, steps=[(call.later(), last)])
    return Answer(200, _document(database), result_ids=[identifier])


def _private(call: Call, wanted: Any, region: str) -> dict[str, Any] | None:
    if wanted is None:
        return None
    subnet = vpcs.subnet_of(call, wanted.get("subnet_id"), region)
    if subnet is None or call.get(vpcs.VPC, str(wanted.get("vpc_id"))) is None:
        raise Refusal(
            "invalid", "A VPC subnet by that ID was not found in this region", field="private_network.subnet_id"
        )
    return {"vpc_id": wanted["vpc_id"], "subnet_id": subnet["id"], "public_access": bool(wanted.get("public_access"))}


def _update(call: Call) -> Answer:
    """Another type takes time, another list of addresses does not."""
    database, wanted = _needed(call), call.document()
    if database.state != "active":
        raise Refusal("wrong_state", "Database is busy.")
    changes: dict[str, Any] = {}
    if "type" in wanted:
        changes["type"] = _type(wanted["type"])
    if "cluster_size" in wanted:
        changes["cluster_size"] = _size(wanted["cluster_size"])
    if any(database.facts[name] != value for name, value in changes.items()):
        database.turn("resizing", (call.later(0.8), "active"))
    if "allow_list" in wanted:
        changes["allow_list"] = list(wanted["allow_list"])
    database.facts |= changes
    return _saved(call, database)


def _delete(call: Call) -> Answer:
    database = _needed(call)
    call.things.remove(database)
    return Answer(200, {}, result_ids=[database.id])


def _credentials(call: Call) -> Answer:
    """What the real one tells to everybody who may read databases."""
    user = "linroot" if _needed(call).facts["engine"] == "mysql" else "akmadmin"
    return Answer(200, {"username": user, "password": "a simulated cloud's password"})


def _suspend(call: Call) -> Answer:
    return _turn(call, "active", "suspending", "suspended")


def _resume(call: Call) -> Answer:
    return _turn(call, "suspended", "resuming", "active")


def _turn(call: Call, needed: str, during: str, after: str) -> Answer:
    database = _needed(call)
    if database.state != needed:
        raise Refusal("wrong_state", f"Database must be available: it is {database.state}")
    database.turn(during, (call.later(0.5), after))
    return _saved(call, database)


def _needed(call: Call) -> Thing:
    return call.need(DATABASE, identifier_of(call.path))


def _saved(call: Call, database: Thing) -> Answer:
    database.facts["updated_s"] = call.now_s
    call.save(database)
    return Answer(200, _document(database), result_ids=[database.id])


def _type(wanted: Any) -> str:
    if offers.type_(str(wanted)) is None:
        raise Refusal("invalid", "A valid plan type by that ID was not found", field="type")
    return str(wanted)


def _size(wanted: Any) -> int:
    if wanted not in {1, 2, 3}:
        raise Refusal("invalid", "Must be 1-3", field="cluster_size")
    return int(wanted)


def _document(database: Thing) -> dict[str, Any]:
    facts, (engine, _, number) = database.facts, database.id.partition("/")
    kind = offers.type_(facts["type"]) or {"disk": 0}
    host = f"a{number}-akamai-prod-{number}-default.g2a.akamaidb.net"
    return {
        "id": int(number), "label": facts["label"], "engine": engine, "version": facts["version"],
        "type": facts["type"], "region": database.region, "status": database.state,
        "cluster_size": facts["cluster_size"], "allow_list": facts["allow_list"], "port": _PORTS[engine],
        "hosts": {"primary": host, "standby": f"replica-{host}" if facts["cluster_size"] > 1 else None},
        "encrypted": True, "ssl_connection": True, "platform": "rdbms-default", "fork": None, "members": {},
        "oldest_restore_time": None, "total_disk_size_gb": kind["disk"] // 1024, "used_disk_size_gb": 1,
        "updates": {"frequency": "weekly", "duration": 4, "hour_of_day": 0, "day_of_week": 7, "pending": []},
        "engine_config": {}, "private_network": facts["private_network"], "created": moment(database.created_s),
        "updated": moment(facts["updated_s"]),
    }  # fmt: skip

"""How do the simulated database clusters live: created, resized upwards only, open to trusted sources?"""

from __future__ import annotations

import re
import uuid
from typing import Any

from deploy.local.clouds.digitalocean import offers, vpcs
from deploy.local.clouds.digitalocean.answers import moment
from deploy.local.clouds.digitalocean.tags import spelled_tags
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

DATABASE = "database"
# the version when none is named, the port, the scheme of its address
_ENGINES = {
    "pg": ("17", 25060, "postgresql"),
    "mysql": ("8", 25060, "mysql"),
    "valkey": ("8", 25061, "rediss"),
    "mongodb": ("8.0", 27017, "mongodb+srv"),
}
_SIZE = re.compile(r"(?:db-s|gd|so1_5|m3)-(\d{1,2})vcpu-(\d{1,3})gb")
_STORAGE_MIB = {1: 10_240, 2: 30_720, 4: 61_440, 8: 143_360, 16: 296_960}
_NAME = re.compile(r"[a-z][a-z0-9-]{2,62}")
_NODES_MAX, _RULES_MAX = 3, 100
CLUSTER_LIMIT = 1_000
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?")


def actions() -> list[Action]:
    path = "/v2/databases"
    return [
        Action("POST", path, "databases.create", create),
        Action("GET", path, "databases.list", listed),
        Action("GET", path + "/{id}", "databases.get", read),
        Action("DELETE", path + "/{id}", "databases.delete", delete),
        Action("PUT", path + "/{id}/resize", "databases.resize", resize),
        Action("GET", path + "/{id}/firewall", "databases.list_firewall", firewall),
        Action("PUT", path + "/{id}/firewall", "databases.update_firewall", update_firewall),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    region, engine, name = str(wanted.get("region")), str(wanted.get("engine")), str(wanted.get("name") or "")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "invalid region")
    if engine not in _ENGINES:
        raise Refusal("invalid", "invalid engine")
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "invalid cluster name")
    if any(each.facts["name"] == name for each in call.list(DATABASE)):
        raise Refusal("invalid", "cluster name is not available")
    if len(call.list(DATABASE)) >= CLUSTER_LIMIT:
        raise Refusal("invalid", "database cluster limit reached")
    vpc = vpcs.chosen(call, wanted.get("private_network_uuid"), region)
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"db {call.account.account_id} {call.things.last_number + 1}"))
    facts = {
        "name": name, "engine": engine, "version": str(wanted.get("version") or _ENGINES[engine][0]), "vpc_uuid": vpc,
        **_amounts(wanted, None), "tags": spelled_tags(call, wanted.get("tags") or []),
        "rules": _rules(call, identifier, wanted.get("rules") or []),
    }  # fmt: skip
    database = call.new(DATABASE, identifier, "creating", facts, region=region, steps=[(call.later(), "online")])
    return Answer(201, {"database": document(database)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    """All at once: this list has no pages."""
    found = call.list(DATABASE)
    if tag := call.query.get("tag_name"):
        found = [each for each in found if tag.lower() in (name.lower() for name in each.facts["tags"])]
    return Answer(200, {"databases": [document(each) for each in found]})


def read(call: Call) -> Answer:
    return Answer(200, {"database": document(call.need(DATABASE, call.path["id"]))})


def delete(call: Call) -> Answer:
    database = call.need(DATABASE, call.path["id"])
    call.things.remove(database)
    return Answer(204, result_ids=[database.id])


def resize(call: Call) -> Answer:
    database = call.need(DATABASE, call.path["id"])
    if database.state != "online":
        raise Refusal("wrong_state", "cluster is not online")
    database.facts |= _amounts(call.document(), database)
    database.turn("resizing", (call.later(), "online"))
    call.save(database)
    return Answer(202, result_ids=[database.id])


def firewall(call: Call) -> Answer:
    return Answer(200, {"rules": call.need(DATABASE, call.path["id"]).facts["rules"]})


def update_firewall(call: Call) -> Answer:
    """All rules at once."""
    database = call.need(DATABASE, call.path["id"])
    database.facts["rules"] = _rules(call, database.id, call.document().get("rules") or [])
    call.save(database)
    return Answer(204, result_ids=[database.id])


def _amounts(wanted: dict[str, Any], before: Thing | None) -> dict[str, Any]:
    """Size, nodes and storage, which never become less but for the nodes."""
    size, nodes = _SIZE.fullmatch(str(wanted.get("size"))), wanted.get("num_nodes")
    if size is None:
        raise Refusal("invalid", "invalid size")
    if not isinstance(nodes, int) or not 1 <= nodes <= _NODES_MAX:
        raise Refusal("invalid", f"num_nodes must be 1 to {_NODES_MAX}")
    base = _STORAGE_MIB.get(int(size[2]), 20_480 * int(size[2]))
    kept = base if before is None else max(base, before.facts["storage_size_mib"])
    storage = wanted.get("storage_size_mib") or kept
    if storage < kept:
        raise Refusal("invalid", f"storage_size_mib must be at least {kept}")
    if before is not None:
        now = _SIZE.fullmatch(before.facts["size"])
        if now is not None and (int(size[2]), int(size[1])) < (int(now[2]), int(now[1])):
            raise Refusal("invalid", "cannot resize to a smaller size")
    return {"size": size[0], "num_nodes": nodes, "storage_size_mib": storage}


def _rules(call: Call, cluster: str, rules: Any) -> list[dict[str, Any]]:
    if len(rules) > _RULES_MAX:
        raise Refusal("invalid", f"at most {_RULES_MAX} trusted sources")
    for rule in rules:
        kind, value = rule.get("type"), str(rule.get("value") or "")
        if kind not in {"droplet", "k8s", "ip_addr", "tag", "app"}:
            raise Refusal("invalid", "invalid trusted source type")
        if kind == "ip_addr" and not _ADDRESS.fullmatch(value):
            raise Refusal("invalid", f"trusted source {value} is not an IPv4 address")
        if kind == "droplet" and call.get(MACHINE, value) is None:
            raise Refusal("invalid", f"Droplet {value} was not found")
    return [
        {"uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{cluster} {rule['type']} {rule['value']}")),
         "cluster_uuid": cluster, "type": rule["type"], "value": str(rule["value"]), "created_at": moment(call.now_s)}
        for rule in rules
    ]  # fmt: skip


def document(database: Thing) -> dict[str, Any]:
    """With the password of the first user, as DigitalOcean tells whoever may read the cluster."""
    facts, password = database.facts, f"AVNS_{uuid.uuid5(uuid.NAMESPACE_OID, database.id).hex[:19]}"
    return {
        **{name: facts[name] for name in ("name", "engine", "version", "size", "num_nodes", "storage_size_mib")},
        "id": database.id, "status": database.state, "region": database.region, "tags": facts["tags"] or None,
        "created_at": moment(database.created_s), "private_network_uuid": facts["vpc_uuid"], "db_names": ["defaultdb"],
        "connection": _connection(database, "", password),
        "private_connection": _connection(database, "private-", password),
        "users": [{"name": "doadmin", "role": "primary", "password": password}],
        "maintenance_window": {"day": "saturday", "hour": "08:45:12", "pending": False, "description": []},
    }  # fmt: skip


def _connection(database: Thing, prefix: str, password: str) -> dict[str, Any]:
    _, port, scheme = _ENGINES[database.facts["engine"]]
    host = f"{prefix}{database.facts['name']}-do-user-{database.number}-0.db.ondigitalocean.test"
    return {
        "protocol": scheme, "uri": f"{scheme}://doadmin:{password}@{host}:{port}/defaultdb?sslmode=require",
        "database": "defaultdb", "host": host, "port": port, "user": "doadmin", "password": password, "ssl": True,
    }  # fmt: skip

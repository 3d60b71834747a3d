"""What are instances of the simulated Cloud SQL, as its Admin API has them?

One change at a time: while one is at work, the next is refused. A deleted instance's name is taken for a week.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp import labels, networks
from deploy.local.clouds.gcp.accounts import key_of
from deploy.local.clouds.gcp.lists import paged
from deploy.local.clouds.gcp.places import REGIONS, number_of, stamp
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.provider import Action, Answer, Call, HttpRequest, Refusal
from deploy.local.clouds.world.things import GONE, Thing, Things

INSTANCE, OPERATION = "sql_instance", "sql_operation"
PREFIX = "/v1/projects/"
DELETED = "DELETED"
"""The state in which an instance is but a name that nobody may have for a week."""
_BASE = PREFIX + "{project}/instances"
_NAME_KEPT_S = 7 * 86400
_OPERATION_KEPT_S = 86400
_CHANGE_SHARE = 0.1
_PAGE_MAX = 1000
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,96}[a-z0-9])?")
_TIER = re.compile(r"db-(f1-micro|g1-small|n1-[a-z]+-\d+|custom-\d+-\d+|perf-optimized-N-\d+)")
_VERSION = re.compile(r"POSTGRES_(1[2-8]|9_6)|MYSQL_(5_7|8_0|8_4)")
_READ_ONLY = frozenset({"settingsVersion", "kind"})


def actions() -> list[Action]:
    return [
        Action("POST", _BASE, "sql.instances.insert", insert),
        Action("GET", _BASE, "sql.instances.list", list_instances),
        Action("GET", _BASE + "/{instance}", "sql.instances.get", get),
        Action("PATCH", _BASE + "/{instance}", "sql.instances.patch", patch),
        Action("DELETE", _BASE + "/{instance}", "sql.instances.delete", delete),
        Action("GET", PREFIX + "{project}/operations/{operation}", "sql.operations.get", get_operation),
    ]


def region_of(request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
    """An instance's own, or that of one to be made."""
    known = things.get(account.provider, account.account_id, INSTANCE, path.get("instance", ""))
    if known is not None:
        return known.region
    return str(request.document().get("region", "global")) if request.method == "POST" else "global"


def insert(call: Call) -> Answer:
    body = call.document()
    name, settings = str(body.get("name", "")), _settings({}, body.get("settings") or {})
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", f"Invalid value for field 'name': '{name}'.")
    if call.region not in REGIONS:
        raise Refusal("invalid", f"Invalid value for field 'region': '{call.region}'.", code="invalidParameter")
    if call.get(INSTANCE, name) is not None:
        message = "The Cloud SQL instance already exists. A deleted instance's name can be used again after a week."
        raise Refusal("conflict", message, code="instanceAlreadyExists")
    source = _source(call, body)
    version = str(body.get("databaseVersion") or (source.facts["databaseVersion"] if source else "MYSQL_8_0"))
    if not _VERSION.fullmatch(version):
        raise Refusal("invalid", f"Invalid value for field 'databaseVersion': '{version}'.")
    seed = int(number_of("sql", name, str(call.things.last_number)))
    private = settings["ipConfiguration"].get("privateNetwork")
    facts = {
        "name": name,
        "databaseVersion": version,
        "instanceType": "READ_REPLICA_INSTANCE" if source else "CLOUD_SQL_INSTANCE",
        "settings": {**settings, "settingsVersion": "1", "kind": "sql#settings"},
        "createTime": stamp(call.now_s),
        "gceZone": f"{call.region}-{REGIONS[call.region][0]}",
        "ipAddresses": [
            {"type": "PRIVATE", "ipAddress": f"10.61.{seed % 250}.3"}
            if private
            else {"type": "PRIMARY", "ipAddress": f"35.{200 + seed % 50}.{seed // 50 % 250}.{1 + seed // 9999 % 250}"}
        ],
        "busy_until_s": call.later(),
    }
    if source is not None:
        facts["masterInstanceName"] = f"{call.account.account_id}:{source.id}"
    made = call.new(INSTANCE, name, "PENDING_CREATE", facts, steps=[(call.later(), "RUNNABLE")])
    return _accepted(call, made, "CREATE", 1.0)


def list_instances(call: Call) -> Answer:
    """A region that does not answer is named in a warning, and its instances are missing."""
    lost = [each for each in sorted(REGIONS) if call.is_lost(each)]
    wanted = re.fullmatch(r"region:(\S+)", call.query.get("filter", "region:*"))
    if wanted is None:
        raise Refusal("invalid", "Invalid filter.", code="invalidParameter")
    there = [each for each in call.list(INSTANCE) if each.state != DELETED and each.region not in lost]
    rows = [_render(call, each) for each in there if wanted[1] in {"*", each.region}]
    answer = paged(call, rows, "name", "items", _PAGE_MAX, "sql#instancesList")
    warnings = [
        {"code": "REGION_UNREACHABLE", "message": "The region did not answer.", "region": each} for each in lost
    ]
    return Answer(200, {**answer.document, **({"warnings": warnings} if warnings else {})})


def get(call: Call) -> Answer:
    return Answer(200, _render(call, _need(call)))


def patch(call: Call) -> Answer:
    instance, given = _need(call), call.document().get("settings") or {}
    now = instance.facts["settings"]
    _check_idle(call, instance)
    if str(given.get("settingsVersion", now["settingsVersion"])) != now["settingsVersion"]:
        raise Refusal("invalid", "The settings changed since they were read.", code="conditionNotMet", status=412)
    if given.get("activationPolicy") == "NEVER" and (
        instance.facts.get("masterInstanceName") or _copies(call, instance)
    ):
        raise Refusal("invalid", "An instance with replicas, or a replica, cannot be stopped.", code="invalidState")
    instance.facts["settings"] = {
        **_settings(now, given), "settingsVersion": str(int(now["settingsVersion"]) + 1), "kind": "sql#settings",
    }  # fmt: skip
    instance.facts["busy_until_s"] = call.later(_CHANGE_SHARE)
    call.save(instance)
    return _accepted(call, instance, "UPDATE", _CHANGE_SHARE)


def delete(call: Call) -> Answer:
    instance = _need(call)
    _check_idle(call, instance)
    if _copies(call, instance):
        raise Refusal("invalid", "The instance has replicas and cannot be deleted.", code="invalidState")
    instance.turn("PENDING_DELETE", (call.later(), DELETED), (call.later() + _NAME_KEPT_S, GONE))
    instance.facts["busy_until_s"] = call.later()
    call.save(instance)
    return _accepted(call, instance, "DELETE", 1.0)


def get_operation(call: Call) -> Answer:
    found = call.get(OPERATION, call.path["operation"])
    if found is None:
        raise Refusal("not_found", "The operation does not exist.", code="notFound")
    return Answer(200, _operation(call, found))


def _accepted(call: Call, instance: Thing, kind: str, share: float) -> Answer:
    name = f"sql-{number_of(instance.id, kind, str(call.things.last_number), repr(call.now_s))}"
    facts = {"kind": kind, "target": instance.id, "begun_s": call.now_s, "user": key_of(call.account)["client_email"]}
    steps = [(call.later(share), "DONE"), (call.now_s + _OPERATION_KEPT_S, GONE)]
    made = call.new(OPERATION, name, "PENDING", facts, steps=steps)
    return Answer(200, _operation(call, made), result_ids=(instance.id,))


def _operation(call: Call, thing: Thing) -> dict[str, Any]:
    base = f"{call.http.base_url}{PREFIX}{call.account.account_id}"
    return {
        "kind": "sql#operation",
        "name": thing.id,
        "operationType": thing.facts["kind"],
        "status": thing.state,
        "targetId": thing.facts["target"],
        "targetProject": call.account.account_id,
        "targetLink": f"{base}/instances/{thing.facts['target']}",
        "selfLink": f"{base}/operations/{thing.id}",
        "user": thing.facts["user"],
        "insertTime": stamp(thing.facts["begun_s"]),
    }


def _render(call: Call, instance: Thing) -> dict[str, Any]:
    facts = {name: value for name, value in instance.facts.items() if name != "busy_until_s"}
    copies = [each.id for each in _copies(call, instance)]
    return {
        **facts,
        "kind": "sql#instance",
        "state": instance.state,
        "region": instance.region,
        "project": call.account.account_id,
        "backendType": "SECOND_GEN",
        "connectionName": f"{call.account.account_id}:{instance.region}:{instance.id}",
        "selfLink": f"{call.http.base_url}{PREFIX}{call.account.account_id}/instances/{instance.id}",
        **({"replicaNames": copies} if copies else {}),
    }


def _settings(now: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is there with what is given; what is null of the labels goes. Raises Refusal `invalid`."""
    merged = {
        "activationPolicy": "ALWAYS",
        "availabilityType": "ZONAL",
        "dataDiskSizeGb": "10",
        "dataDiskType": "PD_SSD",
        "edition": "ENTERPRISE",
        "ipConfiguration": {"ipv4Enabled": True},
        "storageAutoResize": True,
        **now,
        **{name: value for name, value in given.items() if name not in _READ_ONLY},
    }
    merged["userLabels"] = labels.patched(now.get("userLabels", {}), given.get("userLabels", {}))
    if not _TIER.fullmatch(str(merged.get("tier", ""))):
        raise Refusal("invalid", f"Invalid value for field 'settings.tier': '{merged.get('tier')}'. Invalid Tier.")
    if ("perf-optimized" in merged["tier"]) is not (merged["edition"] == "ENTERPRISE_PLUS"):
        message = f"Invalid value for field 'settings.tier': '{merged['tier']}'. Not of edition {merged['edition']}."
        raise Refusal("invalid", message)
    size = int(merged["dataDiskSizeGb"])
    if not int(now.get("dataDiskSizeGb", 10)) <= size <= 65536:
        message = f"Invalid value for field 'settings.dataDiskSizeGb': '{size}'. The disk cannot shrink."
        raise Refusal("invalid", message)
    if merged["availabilityType"] == "REGIONAL" and not (merged.get("backupConfiguration") or {}).get("enabled"):
        raise Refusal("invalid", "A high availability instance needs automated backups.")
    reached = merged["ipConfiguration"]
    if not reached.get("ipv4Enabled") and not reached.get("privateNetwork"):
        raise Refusal("invalid", "At least one of Public IP or Private IP connectivity must be enabled.")
    return merged


def _source(call: Call, body: Mapping[str, Any]) -> Thing | None:
    """The instance that this one is a copy of; its network, too, is looked at."""
    network = ((body.get("settings") or {}).get("ipConfiguration") or {}).get("privateNetwork")
    if network is not None:
        networks.named(call, network, "settings.ipConfiguration.privateNetwork")
    name = str(body.get("masterInstanceName") or "").rpartition(":")[2]
    if not name:
        return None
    found = call.get(INSTANCE, name)
    if found is None or found.state == DELETED:
        raise Refusal("invalid", f"Invalid value for field 'masterInstanceName': '{name}'. It does not exist.")
    _check_idle(call, found)
    return found


def _copies(call: Call, instance: Thing) -> list[Thing]:
    wanted = f"{call.account.account_id}:{instance.id}"
    known = call.things.of(call.account.provider, call.account.account_id, INSTANCE, None)
    return [each for each in known if each.facts.get("masterInstanceName") == wanted and each.state != DELETED]


def _check_idle(call: Call, instance: Thing) -> None:
    if instance.facts["busy_until_s"] > call.now_s:
        message = "Operation failed because another operation was already in progress."
        raise Refusal("conflict", message, code="operationInProgress")


def _need(call: Call) -> Thing:
    found = call.get(INSTANCE, call.path["instance"])
    if found is None or found.state == DELETED:
        raise Refusal("not_found", "The Cloud SQL instance does not exist.", code="instanceDoesNotExist")
    return found

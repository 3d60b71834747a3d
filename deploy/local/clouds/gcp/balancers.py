"""What are forwarding rules, target pools and legacy health checks of the simulated Google Cloud?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp import labels
from deploy.local.clouds.gcp.errors import already_exists, in_use, invalid, not_found
from deploy.local.clouds.gcp.instances import fingerprint
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.operations import Change, accepted, failed_on_demand, once
from deploy.local.clouds.gcp.places import DELETED, number_of, region_of_zone, stamp, url
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

RULE, POOL, CHECK = "forwarding_rule", "target_pool", "http_health_check"
_SHARE = 0.002
_NUMBERS: Mapping[str, int] = {
    "port": 80, "checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 2,
}  # fmt: skip
_AFFINITIES = frozenset({"NONE", "CLIENT_IP", "CLIENT_IP_PROTO"})


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}"
    rules, pools = f"{base}/regions/{{region}}/forwardingRules", f"{base}/regions/{{region}}/targetPools"
    checks = f"{base}/global/httpHealthChecks"
    return [
        Action("POST", rules, "forwardingRules.insert", once(insert_rule)),
        Action("GET", rules, "forwardingRules.list", list_rules),
        Action("GET", rules + "/{rule}", "forwardingRules.get", get_rule),
        Action("DELETE", rules + "/{rule}", "forwardingRules.delete", once(delete_rule)),
        Action("POST", rules + "/{rule}/setLabels", "forwardingRules.setLabels", once(set_labels)),
        Action("POST", pools, "targetPools.insert", once(insert_pool)),
        Action("GET", pools, "targetPools.list", list_pools),
        Action("GET", pools + "/{pool}", "targetPools.get", get_pool),
        Action("DELETE", pools + "/{pool}", "targetPools.delete", once(delete_pool)),
        Action("POST", pools + "/{pool}/addInstance", "targetPools.addInstance", once(add_instance)),
        Action("POST", pools + "/{pool}/removeInstance", "targetPools.removeInstance", once(remove_instance)),
        Action("POST", checks, "httpHealthChecks.insert", once(insert_check)),
        Action("GET", checks, "httpHealthChecks.list", list_checks),
        Action("GET", checks + "/{check}", "httpHealthChecks.get", get_check),
        Action("PATCH", checks + "/{check}", "httpHealthChecks.patch", once(patch_check)),
        Action("DELETE", checks + "/{check}", "httpHealthChecks.delete", once(delete_check)),
    ]


def insert_rule(call: Call) -> Answer:
    body = call.document()
    path = _new_path(call, RULE, f"regions/{call.region}/forwardingRules", body)
    target = _path_of(str(body.get("target", "")), 4)
    if call.get(POOL, target) is None:
        raise invalid("resource.target", body.get("target"), "The referenced target resource cannot be found.")
    ports = re.fullmatch(r"(\d+)(?:-(\d+))?", str(body.get("portRange", "1-65535")))
    if ports is None or not 1 <= int(ports[1]) <= int(ports[2] or ports[1]) <= 65535:
        raise invalid("resource.portRange", body.get("portRange"), "Invalid port range.")
    number = number_of(path, str(call.things.last_number + 1))
    error = failed_on_demand(call, path)
    if error is None:
        seed = int(number)
        facts = {
            **_facts(call, body, number),
            "IPAddress": f"34.{64 + seed % 64}.{seed // 64 % 256}.{1 + seed // 16384 % 254}",
            "IPProtocol": str(body.get("IPProtocol") or "TCP"),
            "portRange": f"{ports[1]}-{ports[2] or ports[1]}",
            "loadBalancingScheme": str(body.get("loadBalancingScheme") or "EXTERNAL"),
            "networkTier": "PREMIUM",
            "labels": {},  # only setLabels sets them, whatever an insert says
            "target": target,
        }
        call.new(RULE, path, "READY", facts)
    return accepted(call, Change("insert", path, number, _SHARE, error))


def list_rules(call: Call) -> Answer:
    rows = [_render_rule(call, each) for each in call.list(RULE, call.region)]
    return listed(call, "compute#forwardingRuleList", f"regions/{call.region}/forwardingRules", rows)


def get_rule(call: Call) -> Answer:
    return Answer(200, _render_rule(call, _rule(call)))


def delete_rule(call: Call) -> Answer:
    return _removed(call, _rule(call))


def set_labels(call: Call) -> Answer:
    rule, body = _rule(call), call.document()
    if body.get("labelFingerprint") != fingerprint(rule.facts["labels"]):
        message = "Supplied fingerprint does not match current labelFingerprint."
        raise Refusal("invalid", message, code="conditionNotMet", status=412)
    rule.facts["labels"] = labels.patched({}, body.get("labels", {}))
    return _changed(call, rule, "setLabels")


def insert_pool(call: Call) -> Answer:
    body = call.document()
    path = _new_path(call, POOL, f"regions/{call.region}/targetPools", body)
    affinity, checks = (
        str(body.get("sessionAffinity") or "NONE"),
        [_path_of(each, 3) for each in body.get("healthChecks", [])],
    )
    if affinity not in _AFFINITIES or len(checks) > 1:
        raise invalid("resource.sessionAffinity", affinity, "Unknown.")
    for each in checks:
        if call.get(CHECK, each) is None:
            raise invalid("resource.healthChecks[0]", each, "The referenced resource cannot be found.")
    number = number_of(path, str(call.things.last_number + 1))
    instances = [_machine(call, each) for each in body.get("instances", [])]
    facts = {**_facts(call, body, number), "sessionAffinity": affinity, "healthChecks": checks, "instances": instances}
    call.new(POOL, path, "READY", facts)
    return accepted(call, Change("insert", path, number, 0.0))


def list_pools(call: Call) -> Answer:
    rows = [_render_pool(call, each) for each in call.list(POOL, call.region)]
    return listed(call, "compute#targetPoolList", f"regions/{call.region}/targetPools", rows)


def get_pool(call: Call) -> Answer:
    return Answer(200, _render_pool(call, _pool(call)))


def delete_pool(call: Call) -> Answer:
    pool = _pool(call)
    _check_unused(call, pool, [each.id for each in call.list(RULE) if each.facts["target"] == pool.id])
    return _removed(call, pool)


def add_instance(call: Call) -> Answer:
    pool = _pool(call)
    added = [_machine(call, each.get("instance")) for each in call.document().get("instances", [])]
    pool.facts["instances"] = list(dict.fromkeys([*pool.facts["instances"], *added]))
    return _changed(call, pool, "addInstance")


def remove_instance(call: Call) -> Answer:
    pool = _pool(call)
    gone = {_path_of(str(each.get("instance")), 4) for each in call.document().get("instances", [])}
    pool.facts["instances"] = [each for each in pool.facts["instances"] if each not in gone]
    return _changed(call, pool, "removeInstance")


def insert_check(call: Call) -> Answer:
    body = call.document()
    path = _new_path(call, CHECK, "global/httpHealthChecks", body)
    number = number_of(path, str(call.things.last_number + 1))
    defaults = {**_NUMBERS, "requestPath": "/"}
    given = {name: body.get(name, default) for name, default in defaults.items()}
    call.new(CHECK, path, "READY", {**_facts(call, body, number), **_checked(given)})
    return accepted(call, Change("insert", path, number, 0.0))


def list_checks(call: Call) -> Answer:
    rows = [_render_check(call, each) for each in call.list(CHECK)]
    return listed(call, "compute#httpHealthCheckList", "global/httpHealthChecks", rows)


def get_check(call: Call) -> Answer:
    return Answer(200, _render_check(call, _check(call)))


def patch_check(call: Call) -> Answer:
    check, body = _check(call), call.document()
    names = (*_NUMBERS, "requestPath")
    _checked({name: body.get(name, check.facts[name]) for name in names})
    check.facts |= {name: body[name] for name in (*names, "description", "host") if name in body}
    return _changed(call, check, "patch")


def delete_check(call: Call) -> Answer:
    check = _check(call)
    _check_unused(call, check, [each.id for each in call.list(POOL) if check.id in each.facts["healthChecks"]])
    return _removed(call, check)


def _facts(call: Call, body: Mapping[str, Any], number: str) -> dict[str, Any]:
    text = str(body.get("description", ""))
    return {"name": str(body["name"]), "id": number, "description": text, "creationTimestamp": stamp(call.now_s)}


def _checked(check: Mapping[str, Any]) -> Mapping[str, Any]:
    if not str(check["requestPath"]).startswith("/"):
        raise invalid("resource.requestPath", check["requestPath"], "Must begin with '/'.")
    if not 1 <= check["timeoutSec"] <= check["checkIntervalSec"] <= 300:
        raise invalid("resource.timeoutSec", check["timeoutSec"], "Must be at most checkIntervalSec.")
    return check


def _machine(call: Call, address: object) -> str:
    """The path of a machine of the pool's region. Raises Refusal."""
    path = _path_of(str(address), 4)
    known = call.get(MACHINE, path)
    if known is None or known.state == DELETED:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    if region_of_zone(path.split("/")[1]) != call.region:
        raise invalid("resource.instances[0]", address, "The instance must be in the region of the target pool.")
    return path


def _render_rule(call: Call, rule: Thing) -> dict[str, Any]:
    return {
        **rule.facts,
        "kind": "compute#forwardingRule",
        "labelFingerprint": fingerprint(rule.facts["labels"]),
        "region": url(call, f"regions/{rule.region}"),
        "selfLink": url(call, rule.id),
        "target": url(call, rule.facts["target"]),
    }


def _render_pool(call: Call, pool: Thing) -> dict[str, Any]:
    return {
        **pool.facts,
        "kind": "compute#targetPool",
        "region": url(call, f"regions/{pool.region}"),
        "selfLink": url(call, pool.id),
        "healthChecks": [url(call, each) for each in pool.facts["healthChecks"]],
        "instances": [url(call, each) for each in pool.facts["instances"]],
    }


def _render_check(call: Call, check: Thing) -> dict[str, Any]:
    return {**check.facts, "kind": "compute#httpHealthCheck", "selfLink": url(call, check.id)}


def _changed(call: Call, thing: Thing, kind: str) -> Answer:
    call.save(thing)
    return accepted(call, Change(kind, thing.id, thing.facts["id"], 0.0))


def _removed(call: Call, thing: Thing) -> Answer:
    call.things.remove(thing)
    return accepted(call, Change("delete", thing.id, thing.facts["id"], 0.0))


def _check_unused(call: Call, thing: Thing, users: list[str]) -> None:
    if users:
        account = call.account.account_id
        raise in_use(f"projects/{account}/{thing.id}", f"projects/{account}/{users[0]}")


def _path_of(address: str, parts: int) -> str:
    """`regions/r/targetPools/p` of a full address or a part of one."""
    return "/".join(address.split("/")[-parts:])


def _new_path(call: Call, kind: str, collection: str, body: Mapping[str, Any]) -> str:
    path = f"{collection}/{body.get('name')}"
    if not body.get("name"):
        raise invalid("resource.name", "", "A name is needed.")
    if call.get(kind, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    return path


def _rule(call: Call) -> Thing:
    return _need(call, RULE, f"regions/{call.region}/forwardingRules/{call.path['rule']}")


def _pool(call: Call) -> Thing:
    return _need(call, POOL, f"regions/{call.region}/targetPools/{call.path['pool']}")


def _check(call: Call) -> Thing:
    return _need(call, CHECK, f"global/httpHealthChecks/{call.path['check']}")


def _need(call: Call, kind: str, path: str) -> Thing:
    found = call.get(kind, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found

"""How do the simulated instances live: installed, switched on and off, grown, deleted and forgotten?"""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from deploy.local.clouds.vultr import networks, offers
from deploy.local.clouds.vultr.answers import moment, page_of
from deploy.local.clouds.world.controls import GROUP, MACHINE, SNAPSHOT
from deploy.local.clouds.world.lives import resized
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

# our state: status, power_status and server_status as Vultr shows them
_SHOWN = {
    "pending": ("pending", "running", "none"),
    "installing": ("active", "running", "installingbooting"),
    "running": ("active", "running", "ok"),
    "halting": ("active", "running", "locked"),
    "stopped": ("active", "stopped", "ok"),
    "starting": ("active", "running", "installingbooting"),
    "resizing": ("resizing", "stopped", "locked"),
}


def create(call: Call, limit: int) -> Answer:
    wanted = call.document()
    if not offers.is_region(wanted.get("region")):
        raise Refusal("invalid", "Invalid region.")
    if offers.plan(wanted.get("plan")) is None:
        raise Refusal("invalid", "Invalid plan.")
    snapshot_id, os_id = _origin(call, wanted)
    attached = [str(each) for each in wanted.get("attach_vpc") or []]
    if any((network := call.get(GROUP, each)) is None or network.region != wanted["region"] for each in attached):
        raise Refusal("invalid", "Invalid vpc.")
    if wanted.get("vpc_only") and not attached:
        raise Refusal("invalid", "vpc_only needs a VPC.")
    tags = _checked_tags(wanted.get("tags") or [])
    if len(call.list(MACHINE)) >= limit:
        raise Refusal("quota")
    last = GONE if call.fails_operation else "running"
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{call.account.account_id} {call.things.last_number + 1}"))
    facts = {
        "label": str(wanted.get("label") or ""), "plan": wanted["plan"], "os_id": os_id, "tags": tags,
        "firewall_group_id": str(wanted.get("firewall_group_id") or ""), "power": [[call.later(), True]],
        "snapshot_id": snapshot_id, "vpcs": attached, "vpc_only": bool(wanted.get("vpc_only")),
    }  # fmt: skip
    steps = [(call.later(0.4), "installing"), (call.later(), last)]
    instance = call.new(MACHINE, identifier, "pending", facts, region=str(wanted["region"]), steps=steps)
    shown = {**document(call, instance), "default_password": "v5{Fkvb#2ycPGwHs"}
    return Answer(202, {"instance": shown}, result_ids=[identifier])


def _origin(call: Call, wanted: dict[str, Any]) -> tuple[str, int]:
    """The snapshot (empty: none) and the system that an instance is made of."""
    if "snapshot_id" in wanted:
        snapshot = call.get(SNAPSHOT, str(wanted["snapshot_id"]))
        if snapshot is None or snapshot.state != "complete":
            raise Refusal("invalid", "Invalid snapshot.")
        return snapshot.id, int(snapshot.facts["os_id"])
    system = offers.system(wanted.get("os_id"))
    if system is None:
        raise Refusal("invalid", "Invalid OS.")
    return "", int(system["id"])


def listed(call: Call) -> Answer:
    found = call.list(MACHINE, call.query.get("region"))
    for name in ("label", "firewall_group_id"):
        if name in call.query:
            found = [each for each in found if each.facts[name] == call.query[name]]
    if tag := call.query.get("tag"):
        found = [each for each in found if tag in each.facts["tags"]]
    return page_of(call, "instances", found, lambda each: each.number, lambda each: document(call, each))


def read(call: Call) -> Answer:
    return Answer(200, {"instance": document(call, call.need(MACHINE, call.path["id"]))})


def update(call: Call) -> Answer:
    """Labels, tags, and the plan: a larger one, never one with a smaller disk."""
    instance, wanted = call.need(MACHINE, call.path["id"]), call.document()
    if "tags" in wanted:
        instance.facts["tags"] = _checked_tags(wanted["tags"])
    if "label" in wanted:
        instance.facts["label"] = str(wanted["label"])
    if "plan" in wanted:
        _resize(call, instance, str(wanted["plan"]))
    call.save(instance)
    return Answer(202, {"instance": document(call, instance)}, result_ids=[instance.id])


def _resize(call: Call, instance: Thing, identifier: str) -> None:
    at_rest(instance)
    plan, now = offers.plan(identifier), offers.plan(plan_of(call, instance))
    if plan is None or now is None:
        raise Refusal("invalid", "Invalid plan.")
    if plan["disk"] < now["disk"]:
        raise Refusal("invalid", "Unable to downgrade to that plan: its disk is smaller.")
    if not call.fails_operation:
        resized(instance, call.later(0.8), str(now["id"]))
        instance.facts["resize"] = [call.later(0.8), identifier]
    instance.turn("resizing", (call.later(0.8), instance.state))


def delete(call: Call) -> Answer:
    instance = call.need(MACHINE, call.path["id"])
    call.things.remove(instance)
    return Answer(204, result_ids=[instance.id])


def start(call: Call) -> Answer:
    instance = call.need(MACHINE, call.path["id"])
    at_rest(instance)
    if instance.state != "running":
        _switch(call, instance, "starting", "running", on=True)
    return Answer(204, result_ids=[instance.id])


def halt(call: Call) -> Answer:
    """Of several at once; those that are off already stay so."""
    identifiers = call.document().get("instance_ids")
    if not isinstance(identifiers, list) or not identifiers:
        raise Refusal("invalid", "Missing or invalid instance_ids.")
    instances = [call.need(MACHINE, str(each)) for each in identifiers]
    for instance in instances:
        at_rest(instance)
    for instance in instances:
        if instance.state != "stopped":
            _switch(call, instance, "halting", "stopped", on=False)
    return Answer(204, result_ids=[each.id for each in instances])


def plan_of(call: Call, instance: Thing) -> str:
    """Its plan now: a change that is done is applied."""
    due_s, identifier = instance.facts.get("resize") or (None, "")
    if due_s is not None and due_s <= call.now_s:
        instance.facts |= {"resize": None, "plan": identifier}
        call.save(instance)
    return str(instance.facts["plan"])


def at_rest(instance: Thing) -> None:
    if instance.state not in {"running", "stopped"}:
        raise Refusal("wrong_state", "This instance is currently locked.")


def _switch(call: Call, instance: Thing, during: str, after: str, *, on: bool) -> None:
    due_s = call.later(0.4)
    if call.fails_operation:
        after = instance.state
    else:
        instance.facts["power"].append([due_s, on])
    instance.turn(during, (due_s, after))
    call.save(instance)


def _checked_tags(tags: Any) -> list[str]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise Refusal("invalid", "Invalid tags.")
    return list(dict.fromkeys(tags))


def document(call: Call, instance: Thing) -> dict[str, Any]:
    facts = instance.facts
    plan, system = offers.plan(plan_of(call, instance)) or {}, offers.system(facts["os_id"]) or {}
    status, power, server = _SHOWN[instance.state]
    walled = facts.get("vpc_only", False)
    address = str(ipaddress.IPv4Address(int(ipaddress.IPv4Address("198.18.0.0")) + instance.number % 2**16))
    return {
        "id": instance.id, "os": system["name"], "os_id": facts["os_id"], "app_id": 0, "image_id": "",
        "snapshot_id": facts.get("snapshot_id", ""), "ram": plan["ram"], "disk": plan["disk"],
        "vcpu_count": plan["vcpu_count"], "plan": facts["plan"], "allowed_bandwidth": plan["bandwidth"],
        "region": instance.region, "label": facts["label"], "hostname": "guest",
        "main_ip": "0.0.0.0" if walled or instance.state == "pending" else address,
        "internal_ip": networks.address_of(call, instance), "kvm": "", "vpc_only": walled,
        "netmask_v4": "255.255.254.0", "gateway_v4": "198.18.0.1", "v6_network": "", "v6_main_ip": "",
        "v6_network_size": 0, "date_created": moment(instance.created_s), "status": status, "power_status": power,
        "server_status": server, "firewall_group_id": facts["firewall_group_id"], "features": [],
        "user_scheme": "root", "tag": (facts["tags"] or [""])[0], "tags": facts["tags"], "pending_charges": 0,
    }  # fmt: skip

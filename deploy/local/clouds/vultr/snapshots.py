"""How are the simulated instances' snapshots taken? Every region can use them when they are whole."""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.vultr import offers
from deploy.local.clouds.vultr.answers import moment, page_of
from deploy.local.clouds.vultr.instances import at_rest, plan_of
from deploy.local.clouds.world.controls import MACHINE, SNAPSHOT
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

SNAPSHOT_LIMIT = 1_000
BYTES_OF_GB = 2**30


def create(call: Call) -> Answer:
    wanted = call.document()
    instance = call.need(MACHINE, str(wanted.get("instance_id")))
    at_rest(instance)
    if len(call.list(SNAPSHOT)) >= SNAPSHOT_LIMIT:
        raise Refusal("invalid", "You have reached the maximum number of snapshots: limit reached.")
    plan = offers.plan(plan_of(call, instance)) or {}
    facts = {
        "description": str(wanted.get("description") or ""), "size": plan["disk"] * BYTES_OF_GB,
        "os_id": instance.facts["os_id"],
    }  # fmt: skip
    number = call.things.last_number + 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"snapshot {call.account.account_id} {number}"))
    end = GONE if call.fails_operation else "complete"
    made = call.new(SNAPSHOT, identifier, "pending", facts, region=instance.region, steps=[(call.later(), end)])
    return Answer(201, {"snapshot": document(made)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    found = call.list(SNAPSHOT)
    if "description" in call.query:
        found = [each for each in found if each.facts["description"] == call.query["description"]]
    return page_of(call, "snapshots", found, lambda each: each.number, document)


def read(call: Call) -> Answer:
    return Answer(200, {"snapshot": document(call.need(SNAPSHOT, call.path["id"]))})


def delete(call: Call) -> Answer:
    snapshot = call.need(SNAPSHOT, call.path["id"])
    call.things.remove(snapshot)
    return Answer(204, result_ids=[snapshot.id])


def document(snapshot: Thing) -> dict[str, Any]:
    size = snapshot.facts["size"] if snapshot.state == "complete" else 0
    return {
        "id": snapshot.id, "date_created": moment(snapshot.created_s), "description": snapshot.facts["description"],
        "size": size, "compressed_size": size // 5, "status": snapshot.state, "os_id": snapshot.facts["os_id"],
        "app_id": 0,
    }  # fmt: skip

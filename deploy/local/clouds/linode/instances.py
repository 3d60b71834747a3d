"""How do the simulated Linodes live: one change at a time, each with a status of its own, deleted and forgotten?"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from deploy.local.clouds.linode import offers, vpcs
from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.world.controls import GROUP, MACHINE, SNAPSHOT
from deploy.local.clouds.world.lives import resized
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

FIRST_NUMBER = 70_000_000
_LABEL = re.compile(r"[A-Za-z](?!.*(--|__|\.\.))[A-Za-z0-9._-]{1,62}[A-Za-z0-9]")
_AT_REST = ("running", "offline")


def create(call: Call, limit: int) -> Answer:
    wanted = call.document()
    region, kind = str(wanted.get("region")), str(wanted.get("type"))
    if region not in offers.REGIONS:
        raise Refusal("invalid", "region is not valid", field="region")
    if offers.type_(kind) is None:
        raise Refusal("invalid", "A valid plan type by that ID was not found", field="type")
    image = wanted.get("image")
    if image is not None and not _is_image(call, str(image)):
        raise Refusal("invalid", "image is not valid", field="image")
    firewall_id = wanted.get("firewall_id")
    if firewall_id is not None and call.get(GROUP, str(firewall_id)) is None:
        raise Refusal("invalid", "A firewall by that ID was not found", field="firewall_id")
    if image is not None and len(str(wanted.get("root_pass") or "")) < 11:
        raise Refusal("invalid", "Password does not meet strength requirement.", field="root_pass")
    tags = checked_tags(wanted.get("tags") or [])
    mine = call.list(MACHINE)
    number = FIRST_NUMBER + call.things.last_number + 1
    label = str(wanted.get("label") or f"linode{number}")
    if not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must include only ASCII letters, numbers, underscores, periods, and dashes.",
                      field="label")  # fmt: skip
    if any(each.facts["label"] == label for each in mine):
        raise Refusal("conflict", "Label must be unique among your linodes", field="label")
    if len(mine) >= limit:
        raise Refusal("quota")
    last = "offline" if image is None or wanted.get("booted") is False or call.fails_operation else "running"
    power = [[call.later(), True]] if last == "running" else []
    facts = {
        "label": label, "type": kind, "image": image, "tags": tags, "updated_s": call.now_s, "power": power,
        "firewall_id": firewall_id, "private_ip": bool(wanted.get("private_ip")),
        "subnet_id": _subnet_of(call, wanted, region),
    }  # fmt: skip
    steps = [(call.later(0.6), "booting"), (call.later(), last)]
    linode = call.new(MACHINE, str(number), "provisioning", facts, region=region, steps=steps)
    return Answer(200, document(call, linode), result_ids=[linode.id])


def _subnet_of(call: Call, wanted: dict[str, Any], region: str) -> int | None:
    """The subnet of the VPC interface that is asked for; raises Refusal."""
    for place, each in enumerate(wanted.get("interfaces") or []):
        if each.get("purpose") == "vpc":
            subnet = vpcs.subnet_of(call, each.get("subnet_id"), region)
            if subnet is None:
                message = "A subnet by that ID was not found in this region"
                raise Refusal("invalid", message, field=f"interfaces[{place}].subnet_id")
            return int(subnet["id"])
    return None


def _is_image(call: Call, identifier: str) -> bool:
    """A public one, or one of the account's that is whole; it need not be in the Linode's region."""
    own = call.get(SNAPSHOT, identifier)
    return offers.image(identifier) is not None or (own is not None and own.state == "available")


def listed(call: Call) -> Answer:
    return page_of(call, call.list(MACHINE), lambda each: document(call, each), lambda each: _seen(call, each))


def read(call: Call) -> Answer:
    return Answer(200, document(call, call.need(MACHINE, call.path["id"])))


def update(call: Call) -> Answer:
    linode, wanted = call.need(MACHINE, call.path["id"]), call.document()
    if "tags" in wanted:
        linode.facts["tags"] = checked_tags(wanted["tags"])
    if "label" in wanted:
        label = str(wanted["label"])
        if any(each.facts["label"] == label and each.id != linode.id for each in call.list(MACHINE)):
            raise Refusal("conflict", "Label must be unique among your linodes", field="label")
        linode.facts["label"] = label
    linode.facts["updated_s"] = call.now_s
    call.save(linode)
    return Answer(200, document(call, linode), result_ids=[linode.id])


def delete(call: Call) -> Answer:
    linode = call.need(MACHINE, call.path["id"])
    call.things.remove(linode)
    return Answer(200, {}, result_ids=[linode.id])


def boot(call: Call) -> Answer:
    linode = _at_rest(call)
    if linode.state == "running":
        raise Refusal("wrong_state", f"Linode {linode.id} already booted.")
    return _change(call, linode, "booting", "offline" if call.fails_operation else "running", 0.5)


def shutdown(call: Call) -> Answer:
    linode = _at_rest(call)
    if linode.state == "offline":
        raise Refusal("wrong_state", f"Linode {linode.id} already shut down.")
    return _change(call, linode, "shutting_down", "running" if call.fails_operation else "offline", 0.4)


def reboot(call: Call) -> Answer:
    linode = _at_rest(call)
    if linode.state == "offline":
        raise Refusal("wrong_state", f"Linode {linode.id} is not running.")
    return _change(call, linode, "rebooting", "running", 0.4)


def resize(call: Call) -> Answer:
    """A running one is shut down and booted again; the type is the new one when that is done."""
    linode = _at_rest(call)
    wanted = offers.type_(str(call.document().get("type")))
    now = offers.type_(type_of(call, linode))
    if wanted is None or now is None:
        raise Refusal("invalid", "A valid plan type by that ID was not found", field="type")
    if wanted["disk"] < now["disk"]:
        message = "Linode has more disk allocated than the new plan allows. Resize its disks first."
        raise Refusal("invalid", message, field="type")
    if not call.fails_operation:
        resized(linode, call.later(0.8), now["id"])
        linode.facts["resize"] = [call.later(0.8), wanted["id"]]
    return _change(call, linode, "resizing", linode.state, 0.8)


def type_of(call: Call, linode: Thing) -> str:
    """Its type now: a resize that is done is applied."""
    due_s, identifier = linode.facts.get("resize") or (None, "")
    if due_s is not None and due_s <= call.now_s:
        linode.facts |= {"resize": None, "type": identifier}
        call.save(linode)
    return str(linode.facts["type"])


def _at_rest(call: Call) -> Thing:
    linode = call.need(MACHINE, call.path["id"])
    if linode.state not in _AT_REST:
        raise Refusal("wrong_state", "Linode busy.")
    return linode


def _change(call: Call, linode: Thing, during: str, after: str, share: float) -> Answer:
    due_s = call.later(share)
    if after != linode.state:
        linode.facts["power"].append([due_s, after == "running"])
    linode.turn(during, (due_s, after))
    linode.facts["updated_s"] = call.now_s
    call.save(linode)
    return Answer(200, {}, result_ids=[linode.id])


def checked_tags(tags: Any) -> list[str]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Refusal("invalid", "Must be a list of text", field="tags")
    if any(not 3 <= len(tag) <= 50 for tag in tags):
        raise Refusal("invalid", "Length must be 3-50 characters", field="tags")
    return list(dict.fromkeys(tags))


def _seen(call: Call, linode: Thing) -> dict[str, Any]:
    """What Linode can be asked to filter by."""
    facts = linode.facts
    return {
        "id": int(linode.id), "label": facts["label"], "region": linode.region, "tags": facts["tags"], "group": "",
        "type": type_of(call, linode), "image": facts["image"], "status": linode.state,
    }  # fmt: skip


def document(call: Call, linode: Thing) -> dict[str, Any]:
    facts, number = linode.facts, int(linode.id)
    kind = offers.type_(type_of(call, linode)) or {}
    address = str(ipaddress.IPv4Address(int(ipaddress.IPv4Address("198.18.0.0")) + number % 2**16))
    return {
        "id": number, "label": facts["label"], "group": "", "status": linode.state, "type": facts["type"],
        "created": moment(linode.created_s), "updated": moment(facts["updated_s"]), "region": linode.region,
        "image": facts["image"], "ipv4": [address, *private_addresses(linode)],
        "ipv6": f"2001:db8::{number % 2**16:x}/128", "tags": facts["tags"],
        "hypervisor": "kvm", "watchdog_enabled": True, "host_uuid": f"{number:032x}", "has_user_data": False,
        "specs": {"disk": kind["disk"], "memory": kind["memory"], "vcpus": kind["vcpus"], "gpus": 0,
                  "transfer": kind["transfer"], "accelerated_devices": 0},
        "alerts": {"cpu": 90 * kind["vcpus"], "network_in": 10, "network_out": 10, "transfer_quota": 80, "io": 10000},
        "backups": {"enabled": False, "available": False, "last_successful": None,
                    "schedule": {"day": None, "window": None}},
        "lke_cluster_id": None, "placement_group": None, "disk_encryption": "enabled", "capabilities": [],
    }  # fmt: skip


def private_addresses(linode: Thing) -> list[str]:
    return [vpcs.private_address(linode)] if linode.facts.get("private_ip") else []

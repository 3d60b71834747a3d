"""What do virtual machines of the simulated Google Cloud do when they are made, started, stopped, changed, deleted?

A deleted machine leaves the API and stays an hour in the controls' list, as DELETED: tests count what ever was made.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp import disks, networks
from deploy.local.clouds.gcp.errors import already_exists, invalid, not_found, not_ready
from deploy.local.clouds.gcp.lists import Rows, aggregated, listed
from deploy.local.clouds.gcp.operations import Change, accepted, failed_on_demand, once
from deploy.local.clouds.gcp.places import (
    DELETED,
    INSTANCES_PER_REGION,
    MACHINE_TYPES,
    all_scopes,
    check_zone,
    machines_in,
    number_of,
    quota_of,
    region_of_zone,
    stamp,
    url,
)
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.lives import resized, switched
from deploy.local.clouds.world.provider import Action, Answer, Call, Handler, Refusal
from deploy.local.clouds.world.things import GONE, Thing

REMEMBERED_S = 3600
NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_METADATA_VALUE_BYTES = 262_144
_METADATA_BYTES = 524_288
_LABELS_MAX = 64
_OURS = frozenset({"deleting", "gone_s", "power", "sizes"})
"""What of a machine's facts no client sees."""


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}/zones/{zone}/instances"
    one = base + "/{instance}"
    changes = {
        "start": start,
        "stop": stop,
        "setLabels": set_labels,
        "setMetadata": set_metadata,
        "setMachineType": set_machine_type,
        "attachDisk": attach_disk,
        "detachDisk": detach_disk,
    }
    return [
        Action("POST", base, "instances.insert", once(insert)),
        Action("GET", base, "instances.list", list_instances),
        Action(
            "GET",
            "/compute/v1/projects/{project}/aggregated/instances",
            "instances.aggregatedList",
            aggregate_instances,
        ),
        Action("GET", one, "instances.get", get),
        Action("DELETE", one, "instances.delete", once(_may_fail("delete", delete))),
        *(
            Action("POST", f"{one}/{name}", f"instances.{name}", once(_may_fail(name, each)))
            for name, each in changes.items()
        ),
    ]


def _may_fail(kind: str, handler: Handler) -> Handler:
    """The handler, but a fault on demand lets the operation end badly, and nothing changes."""

    def answer(call: Call) -> Answer:
        error = failed_on_demand(call, path_of(call))
        if error is None:
            return handler(call)
        machine = need(call, path_of(call))
        return accepted(call, Change(kind, machine.id, machine.facts["id"], error=error))

    return answer


def path_of(call: Call, name: str | None = None) -> str:
    return f"zones/{check_zone(call.path['zone'])}/instances/{name or call.path['instance']}"


def need(call: Call, path: str) -> Thing:
    found = call.get(MACHINE, path)
    if found is None or found.state == DELETED:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found


def render(call: Call, thing: Thing) -> dict[str, Any]:
    zone = thing.id.split("/")[1]
    facts = {name: value for name, value in thing.facts.items() if name not in _OURS}
    shown = {
        **facts,
        "kind": "compute#instance",
        "status": thing.state,
        "zone": url(call, f"zones/{zone}"),
        "selfLink": url(call, thing.id),
        "machineType": url(call, f"zones/{zone}/machineTypes/{facts['machineType']}"),
        "disks": [{**each, "source": url(call, each["source"])} for each in facts["disks"]],
        "labelFingerprint": fingerprint(facts["labels"]),
        "metadata": {**facts["metadata"], "fingerprint": fingerprint(facts["metadata"]), "kind": "compute#metadata"},
        "tags": {**facts["tags"], "fingerprint": fingerprint(facts["tags"])},
    }
    if thing.state == "TERMINATED":
        shown["networkInterfaces"] = [_without_external(each) for each in facts["networkInterfaces"]]
    return shown


def fingerprint(part: Any) -> str:
    """What a change must quote of what it changes."""
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:11] + "="


def insert(call: Call) -> Answer:
    body = call.document()
    name = str(body.get("name", ""))
    if not NAME.fullmatch(name):
        raise invalid("resource.name", name, "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'")
    path = path_of(call, name)
    facts = _facts(call, body, path)
    known = call.get(MACHINE, path)
    if known is not None and known.state != DELETED:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    error = _failure(call, path)
    if error is not None:
        return accepted(call, Change("insert", path, facts["id"], error=error))
    if known is not None:
        call.things.remove(known)
        known.id = f"{known.id}#{known.number}"
        call.save(known)
    facts["disks"] = [disks.of_new_machine(call, each, index, path) for index, each in enumerate(body["disks"])]
    call.new(
        MACHINE, path, "PROVISIONING", facts, token=token_of(facts),
        steps=[(call.later(0.01), "STAGING"), (call.later(), "RUNNING")],
    )  # fmt: skip
    return accepted(call, Change("insert", path, facts["id"]))


def _failure(call: Call, path: str) -> tuple[str, str] | None:
    """(code, message) when this insert is to end badly: as a fault says, or because the quota is used up."""
    on_demand = failed_on_demand(call, path)
    if on_demand is not None:
        return on_demand
    limit = quota_of(call.region)
    if limit < INSTANCES_PER_REGION and machines_in(call, call.region) >= limit:  # counting 10,000 each time is slow
        return "QUOTA_EXCEEDED", f"Quota 'INSTANCES' exceeded. Limit: {limit}.0 in region {call.region}."
    return None


def _facts(call: Call, body: Mapping[str, Any], path: str) -> dict[str, Any]:
    zone = path.split("/")[1]
    if not body.get("disks"):
        raise Refusal("invalid", "Invalid value for field 'resource.disks': ''. At least one disk is required.")
    number = number_of(path, str(call.things.last_number + 1))
    return {
        "name": path.rpartition("/")[2],
        "id": number,
        "creationTimestamp": stamp(call.now_s),
        "lastStartTimestamp": stamp(call.now_s),
        "description": str(body.get("description", "")),
        "machineType": _machine_type(str(body.get("machineType", "")), zone, "resource.machineType"),
        "cpuPlatform": "Unknown CPU Platform",
        "disks": [],
        "networkInterfaces": [_interface(call, each, number) for each in body.get("networkInterfaces", [])],
        "labels": check_labels(body.get("labels", {})),
        "metadata": _check_metadata(body.get("metadata", {})),
        "tags": {"items": sorted(body.get("tags", {}).get("items", []))} if body.get("tags", {}).get("items") else {},
        "scheduling": _scheduling(body.get("scheduling", {})),
        "deletionProtection": False,
        "startRestricted": False,
    }


def _scheduling(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A spot machine is not moved and not restarted by Google, and preemptible to those who ask in the old way."""
    if asked.get("provisioningModel", "STANDARD") == "STANDARD":
        if asked.get("instanceTerminationAction"):
            raise invalid("scheduling.instanceTerminationAction", "", "It needs a provisioning model that ends.")
        usual = {"automaticRestart": True, "onHostMaintenance": "MIGRATE", "preemptible": False}
        return {**usual, "provisioningModel": "STANDARD"}
    if asked["provisioningModel"] != "SPOT":
        raise invalid("scheduling.provisioningModel", asked["provisioningModel"], "Unknown provisioning model.")
    if asked.get("automaticRestart") or asked.get("onHostMaintenance", "TERMINATE") != "TERMINATE":
        message = "A Spot VM is neither restarted nor migrated automatically."
        raise invalid("scheduling.automaticRestart", asked.get("automaticRestart"), message)
    action = asked.get("instanceTerminationAction", "STOP")
    if action not in {"STOP", "DELETE"}:
        raise invalid("scheduling.instanceTerminationAction", action, "Unknown termination action.")
    return {
        "provisioningModel": "SPOT", "instanceTerminationAction": action, "automaticRestart": False,
        "onHostMaintenance": "TERMINATE", "preemptible": True,
    }  # fmt: skip


def _machine_type(address: str, zone: str, field: str) -> str:
    """Takes a full address or from `zones/` on; the type must be of the machine's zone."""
    parts = address.split("/")
    if len(parts) < 4 or parts[-4] != "zones" or parts[-2] != "machineTypes":
        raise invalid(field, address, "The URL is malformed.")
    if parts[-3] != zone or parts[-1] not in MACHINE_TYPES:
        raise invalid(field, address, f"Machine type with name '{parts[-1]}' does not exist in zone '{zone}'.")
    return parts[-1]


def check_labels(labels: Mapping[str, str]) -> dict[str, str]:
    if len(labels) > _LABELS_MAX:
        raise Refusal("invalid", f"Labels are limited to {_LABELS_MAX} per resource.", field="labels")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            raise invalid("resource.labels", key, "Label key must match the regex '[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}…'")
        if not _LABEL_VALUE.fullmatch(value):
            raise invalid("resource.labels", value, "Label value must match the regex '[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}'")
    return dict(labels)


def _check_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    items = [{"key": str(each["key"]), "value": str(each.get("value", ""))} for each in metadata.get("items", [])]
    sizes = [len(each["value"].encode()) for each in items]
    if any(size > _METADATA_VALUE_BYTES for size in sizes) or sum(sizes) > _METADATA_BYTES:
        raise Refusal("invalid", "Metadata value exceeds the size limit.", field="metadata")
    if len({each["key"] for each in items}) != len(items):
        raise Refusal("invalid", "Metadata has duplicate keys.", field="metadata")
    return {"items": items} if items else {}


def _interface(call: Call, asked: Mapping[str, Any], number: str) -> dict[str, Any]:
    network, subnetwork = networks.interface(call, asked)
    seed = int(number)
    interface: dict[str, Any] = {
        "kind": "compute#networkInterface",
        "name": "nic0",
        "network": url(call, network),
        "subnetwork": url(call, subnetwork),
        "networkIP": f"10.128.{seed % 200}.{2 + seed // 200 % 250}",
        "stackType": "IPV4_ONLY",
    }
    if asked.get("accessConfigs"):
        external = f"34.{64 + seed % 64}.{seed // 64 % 256}.{1 + seed // 16384 % 254}"
        config = {"name": "external-nat", "type": "ONE_TO_ONE_NAT", "natIP": external, "networkTier": "PREMIUM"}
        interface["accessConfigs"] = [{"kind": "compute#accessConfig", **config}]
    return interface


def _without_external(interface: Mapping[str, Any]) -> dict[str, Any]:
    """A stopped machine has given its ephemeral address back."""
    configs = [{name: value for name, value in each.items() if name != "natIP"} for each in interface.get("accessConfigs", [])]  # noqa: E501  # fmt: skip
    return {**interface, "accessConfigs": configs} if configs else dict(interface)


def token_of(facts: Mapping[str, Any]) -> str | None:
    token: str | None = tags_of(facts).get("canopy:token")
    return token


def tags_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The exact tags that a client left in the metadata, as the controls list them; else the labels."""
    for item in facts.get("metadata", {}).get("items", []):
        if item["key"] == "canopy-tags":
            found: dict[str, Any] = json.loads(item["value"])
            return found
    return dict(facts.get("labels", {}))


def list_instances(call: Call) -> Answer:
    zone = check_zone(call.path["zone"])
    there = [each for each in call.list(MACHINE, region_of_zone(zone)) if each.id.startswith(f"zones/{zone}/")]
    rows = {each.facts["name"]: each for each in there if each.state != DELETED}
    return listed(call, "compute#instanceList", f"zones/{zone}/instances", Rows(rows, lambda each: render(call, each)))


def aggregate_instances(call: Call) -> Answer:
    scopes: dict[str, list[dict[str, Any]]] = {scope: [] for scope in all_scopes()}
    for each in sorted(call.list(MACHINE), key=lambda machine: machine.id):
        if each.state != DELETED:
            scopes["/".join(each.id.split("/")[:2])].append(render(call, each))
    return aggregated(call, "compute#instanceAggregatedList", "instances", scopes)


def get(call: Call) -> Answer:
    return Answer(200, render(call, need(call, path_of(call))))


def start(call: Call) -> Answer:
    machine = need(call, path_of(call))
    if machine.state in {"STOPPING", "SUSPENDING"}:
        raise not_ready(f"projects/{call.account.account_id}/{machine.id}")
    if machine.state == "TERMINATED":
        machine.facts["lastStartTimestamp"] = stamp(call.now_s)
        switched(machine, call.now_s, on=True)
        machine.turn("STAGING", (call.later(), "RUNNING"))
    return _changed(call, machine, "start")


def stop(call: Call) -> Answer:
    machine = need(call, path_of(call))
    if machine.state in {"PROVISIONING", "STAGING"}:
        raise not_ready(f"projects/{call.account.account_id}/{machine.id}")
    if machine.state == "RUNNING":
        machine.facts["lastStopTimestamp"] = stamp(call.now_s)
        switched(machine, call.later(), on=False)
        machine.turn("STOPPING", (call.later(), "TERMINATED"))
    return _changed(call, machine, "stop", share=1.0)


def delete(call: Call) -> Answer:
    machine = need(call, path_of(call))
    if not machine.facts.get("deleting"):
        machine.facts |= {"deleting": True, "gone_s": call.later()}
        machine.turn("STOPPING", (call.later(), DELETED), (call.later() + REMEMBERED_S, GONE))
        for each in machine.facts["disks"]:
            disks.leave(call, each)
    return _changed(call, machine, "delete", share=1.0)


def set_labels(call: Call) -> Answer:
    machine, body = need(call, path_of(call)), call.document()
    _check_fingerprint(body.get("labelFingerprint"), machine.facts["labels"], "labelFingerprint")
    machine.facts["labels"] = check_labels(body.get("labels", {}))
    return _changed(call, machine, "setLabels")


def set_metadata(call: Call) -> Answer:
    machine, body = need(call, path_of(call)), call.document()
    _check_fingerprint(body.get("fingerprint"), machine.facts["metadata"], "fingerprint")
    machine.facts["metadata"] = _check_metadata(body)
    return _changed(call, machine, "setMetadata")


def set_machine_type(call: Call) -> Answer:
    machine = need(call, path_of(call))
    zone = machine.id.split("/")[1]
    wanted = _machine_type(str(call.document().get("machineType", "")), zone, "machineType")
    if machine.state != "TERMINATED":
        raise Refusal(
            "wrong_state", "Machine type can only be changed when the instance is stopped.", code="invalidState"
        )
    resized(machine, call.now_s, machine.facts["machineType"])
    machine.facts["machineType"] = wanted
    return _changed(call, machine, "setMachineType")


def attach_disk(call: Call) -> Answer:
    machine = need(call, path_of(call))
    machine.facts["disks"].append(disks.attach(call, machine, call.document()))
    return _changed(call, machine, "attachDisk")


def detach_disk(call: Call) -> Answer:
    machine, name = need(call, path_of(call)), call.query.get("deviceName", "")
    disk = next((each for each in machine.facts["disks"] if each["deviceName"] == name), None)
    if disk is None:
        raise invalid("deviceName", name, f"No attached disk found with device name '{name}'")
    machine.facts["disks"].remove(disk)
    disks.release(call, disk["source"])
    return _changed(call, machine, "detachDisk")


def _changed(call: Call, machine: Thing, kind: str, share: float = 0.01) -> Answer:
    call.save(machine)
    return accepted(call, Change(kind, machine.id, machine.facts["id"], share))


def _check_fingerprint(quoted: Any, part: Any, field: str) -> None:
    if quoted != fingerprint(part):
        message = f"Supplied fingerprint does not match current {field}."
        raise Refusal("invalid", message, code="conditionNotMet", status=412)

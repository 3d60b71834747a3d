"""What does the simulated DigitalOcean measure: Prometheus matrices, a sample a minute, of the machine's load curve?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.local.clouds.digitalocean import offers
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing
from deploy.local.load.series import SLOT_S, values_at

STEP_S = 60
SAMPLES_MAX = 20_000
_MIB, _GIB = 2**20, 2**30
_BY_AGENT = ("memory_available", "memory_free", "memory_total", "filesystem_free", "filesystem_size")
_MODES = {"user": 0.7, "system": 0.25, "iowait": 0.05}
"""How what is not idle is spread over the modes that are shown."""


def metrics(call: Call) -> Answer:
    name = call.path["name"]
    if name not in {*_BY_AGENT, "cpu", "bandwidth"}:
        raise Refusal("not_found")
    droplet = call.need(MACHINE, call.query.get("host_id", ""))
    times = list(_times(call, droplet))
    if name in _BY_AGENT and not droplet.facts["monitoring"]:
        return _matrix([])
    labels: dict[str, str] = {"host_id": droplet.id}
    if name == "cpu":
        return _matrix(_cpu(call, droplet, times))
    if name == "bandwidth":
        labels |= {"interface": call.query.get("interface", ""), "direction": call.query.get("direction", "")}
    if name.startswith("filesystem"):
        labels |= {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/"}
    values = [[time_s, f"{_value(call, droplet, name, time_s):g}"] for time_s in times]
    return _matrix([{"metric": labels, "values": values}] if values else [])


def _times(call: Call, droplet: Thing) -> Iterator[int]:
    """Every whole minute asked for in which the droplet ran."""
    try:
        start_s, end_s = float(call.query["start"]), float(call.query["end"])
    except (KeyError, ValueError) as error:
        raise Refusal("invalid", "start and end must be Unix timestamps", status=400) from error
    first = int(max(start_s, droplet.created_s) // STEP_S) * STEP_S
    last = int(min(end_s, call.now_s))
    if last - first > SAMPLES_MAX * STEP_S:
        raise Refusal("invalid", "the window is too long", status=400)
    for time_s in range(first, last + 1, STEP_S):
        if time_s >= start_s and _runs(droplet, time_s):
            yield time_s


def _runs(droplet: Thing, time_s: float) -> bool:
    """By the switches that were thrown so far."""
    before = [on for switched_s, on in droplet.facts["power"] if switched_s <= time_s]
    return bool(before and before[-1])


def _value(call: Call, droplet: Thing, name: str, time_s: int) -> float:
    load, size = _load(call, droplet, time_s), offers.size(droplet.facts["size"]) or {}
    memory, disk = size["memory"] * _MIB, size["disk"] * _GIB
    values = {
        "memory_total": memory,
        "memory_available": memory * (1 - load["memory"] / 100),
        "memory_free": memory * (1 - load["memory"] / 100) * 0.6,
        "filesystem_size": disk,
        "filesystem_free": disk * (1 - load["disk"] / 100),
    }
    if name == "bandwidth":
        direction = {"inbound": "network_in", "outbound": "network_out"}.get(call.query.get("direction", ""))
        if direction is None or call.query.get("interface") not in {"public", "private"}:
            raise Refusal("invalid", "interface and direction are required", status=400)
        return load[direction] * 8 / SLOT_S / 1e6  # bytes in a slot to megabits a second
    return float(values[name])


def _cpu(call: Call, droplet: Thing, times: list[int]) -> list[dict[str, Any]]:
    """Seconds that count up by mode, of all processors together, since the first minute asked for."""
    processors = (offers.size(droplet.facts["size"]) or {})["vcpus"]
    counted = dict.fromkeys([*_MODES, "idle"], 0.0)
    shown: dict[str, list[list[Any]]] = {mode: [] for mode in counted}
    for before_s, time_s in itertools.pairwise([*times[:1], *times]):
        passed_s = (time_s - before_s) * processors
        busy = _load(call, droplet, before_s)["cpu"] / 100
        for mode, share in _MODES.items():
            counted[mode] += passed_s * busy * share
        counted["idle"] += passed_s * (1 - busy)
        for mode, seconds in counted.items():
            shown[mode].append([time_s, f"{seconds:.6f}"])
    return [{"metric": {"host_id": droplet.id, "mode": mode}, "values": each} for mode, each in shown.items() if each]


def _load(call: Call, droplet: Thing, time_s: float) -> Mapping[str, float]:
    return values_at(droplet.id, time_s, call.push_of(droplet.id))


def _matrix(result: list[dict[str, Any]]) -> Answer:
    return Answer(200, {"status": "success", "data": {"resultType": "matrix", "result": result}})

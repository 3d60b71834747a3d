"""What does the simulated Linode measure: 24 hours of samples each five minutes, of the machine's load curve?"""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.instances import type_of
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.load.series import SLOT_S, values_at

STEP_S = 300
KEPT_S = 24 * 3600


def stats(call: Call) -> Answer:
    linode = call.need(MACHINE, call.path["id"])
    processors = (offers.type_(type_of(call, linode)) or {})["vcpus"]
    first = int(max(linode.created_s, call.now_s - KEPT_S) // STEP_S + 1) * STEP_S
    cpu: list[list[float]] = []
    inward: list[list[float]] = []
    outward: list[list[float]] = []
    for time_s in range(first, int(call.now_s) + 1, STEP_S):
        switches = [on for switched_s, on in linode.facts["power"] if switched_s <= time_s]
        running = bool(switches and switches[-1])
        load = values_at(linode.id, time_s, call.push_of(linode.id))
        share = 1 if running else 0  # of a machine that is off Linode shows zeros
        cpu.append([time_s * 1000, round(load["cpu"] * processors * share, 2)])
        inward.append([time_s * 1000, round(load["network_in"] * 8 / SLOT_S * share, 2)])
        outward.append([time_s * 1000, round(load["network_out"] * 8 / SLOT_S * share, 2)])
    if not cpu:
        raise Refusal("invalid", "Stats are unavailable at this time.")
    none = [[time, 0] for time, _ in cpu]
    nothing: dict[str, Any] = dict.fromkeys(("in", "out", "private_in", "private_out"), none)
    return Answer(
        200,
        {
            "title": f"linode.com - {linode.facts['label']} ({linode.id}) - day (5 min avg)",
            "data": {
                "cpu": cpu,
                "io": {"io": none, "swap": none},
                "netv4": {**nothing, "in": inward, "out": outward},
                "netv6": nothing,
            },
        },
    )

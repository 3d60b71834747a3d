"""How many bytes went in and out of a simulated instance, by day?"""

from __future__ import annotations

import datetime as dt

from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Answer, Call
from deploy.local.load.series import SLOT_S, values_at

DAY_S, HOUR_S = 86_400, 3600
DAYS_MAX = 30


def bandwidth(call: Call) -> Answer:
    """Of the last 30 days in which it ran; an hour counts as its first slot of the load curve, repeated."""
    instance = call.need(MACHINE, call.path["id"])
    today_s = int(call.now_s // DAY_S) * DAY_S
    first_s = max(int(instance.created_s // DAY_S) * DAY_S, today_s - (DAYS_MAX - 1) * DAY_S)
    days = {}
    for day_s in range(first_s, today_s + 1, DAY_S):
        inward = outward = 0.0
        for hour_s in range(day_s, min(day_s + DAY_S, int(call.now_s)), HOUR_S):
            switches = [on for switched_s, on in instance.facts["power"] if switched_s <= hour_s]
            if switches and switches[-1]:
                load = values_at(instance.id, hour_s)
                inward += load["network_in"] * HOUR_S / SLOT_S
                outward += load["network_out"] * HOUR_S / SLOT_S
        day = dt.datetime.fromtimestamp(day_s, dt.UTC).date().isoformat()
        days[day] = {"incoming_bytes": round(inward), "outgoing_bytes": round(outward)}
    return Answer(200, {"bandwidth": days})

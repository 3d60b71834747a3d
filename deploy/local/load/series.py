"""How loaded is a machine at a moment? A pure function of its id, the time and what it is pushed to."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.load.cases import Case, shaped
from deploy.local.load.dice import chance

SLOT_S = 5

# Namespace, metric and unit of every value that is put, by its field name.
METRICS = {
    "cpu": ("AWS/EC2", "CPUUtilization", "Percent"),
    "network_in": ("AWS/EC2", "NetworkIn", "Bytes"),
    "network_out": ("AWS/EC2", "NetworkOut", "Bytes"),
    "memory": ("CWAgent", "mem_used_percent", "Percent"),
    "disk": ("CWAgent", "disk_used_percent", "Percent"),
    "response_time_ms": ("Canopy/Application", "response_time_ms", "Milliseconds"),
    "error_rate": ("Canopy/Application", "error_rate", "Percent"),
    "requests_per_second": ("Canopy/Application", "requests_per_second", "Count/Second"),
}
PUSHABLE = ("cpu", "memory", "disk", "response_time_ms", "error_rate", "requests_per_second")


@dataclass(frozen=True)
class Push:
    """A machine held at chosen values until `until_s` (seconds since 1970), or until it is taken back.

    `case`: its own load is a planted one; pushed values come before.
    """

    values: Mapping[str, float]
    until_s: float | None = None
    case: Case | None = None

    def holds(self, now_s: float) -> bool:
        return self.until_s is None or now_s < self.until_s


def season(moment: dt.datetime) -> float:
    """1.0 in winter, 1.9 in the middle of July, times the weekday and the hour: visitors of a wedding planner."""
    year = 1 + 0.9 * math.exp(-(((moment.timetuple().tm_yday - 200) / 55) ** 2))
    week = {5: 1.5, 4: 1.15, 6: 1.15}.get(moment.weekday(), 1.0)
    hour = moment.hour + moment.minute / 60
    day = 0.35 + 0.65 * max(0.0, math.sin(math.pi * (hour - 6) / 16)) if 6 <= hour < 22 else 0.3
    return year * week * day


def values_at(instance_id: str, time_s: float, push: Push | None = None) -> dict[str, float]:
    """All metrics of a machine at a moment, in the units of METRICS; the same for the whole slot of 5 s."""
    slot = int(time_s // SLOT_S)
    level = season(dt.datetime.fromtimestamp(slot * SLOT_S, dt.UTC)) * (0.6 + 0.8 * chance(instance_id))
    noise = {name: chance(instance_id, name, slot) for name in METRICS}
    cpu = min(99.5, 18 * level + 4 * noise["cpu"])
    requests = 40 * level * (0.9 + 0.2 * noise["requests_per_second"])
    measured = {
        "cpu": cpu,
        "network_in": requests * SLOT_S * 900 * (0.9 + 0.2 * noise["network_in"]),
        "network_out": requests * SLOT_S * 14_000 * (0.9 + 0.2 * noise["network_out"]),
        "memory": 35 + 20 * chance(instance_id, "memory") + 6 * level + 1.5 * noise["memory"],
        "disk": 25 + 30 * chance(instance_id, "disk") + 0.1 * noise["disk"],
        "response_time_ms": 60 + 80 * level + 20 * noise["response_time_ms"],
        "error_rate": 0.4 * noise["error_rate"],
        "requests_per_second": requests,
    }
    if push is not None and push.case is not None:
        measured |= shaped(push.case, instance_id, measured, slot * SLOT_S)
    if push is not None and push.holds(time_s):
        measured |= push.values
    return {name: round(value, 3) for name, value in measured.items()}

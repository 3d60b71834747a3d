"""Which machines have a load with a known right answer, and what is the answer? For tests of what is found out of it.

Every case is a pure function of the machine, the time and when it began. The limits below are what makes it one: what
looks for idle, oversized, filling, running away or bursting machines has to find these, whatever its own thresholds.
"""

import datetime as dt
import json
import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.local.load.dice import chance

IDLE, OVERSIZED, DISK_FILLING, RUNAWAY, BURST = KINDS = ("idle", "oversized", "disk_filling", "runaway", "burst")
SHARE = 0.15
"""Of a seeded estate's machines, all kinds together."""
IDLE_CPU_MAX, OVERSIZED_CPU_MAX, OVERSIZED_MEMORY_MAX = 2.5, 18.0, 24.0
DISK_AT_FIRST = 40.0
BURST_HOURS = 2
RUNAWAY_CPU_MIN = 96.0
_DAY_S = 86_400.0
_BEGAN_BEFORE_DAYS = 10


@dataclass(frozen=True)
class Case:
    """`kind` is one of KINDS; before `began_s` (seconds since 1970) the machine's load is its own."""

    kind: str
    began_s: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"case is one of {', '.join(KINDS)}")


def planted_case(seed: int, machine: str, now_s: float) -> Case | None:
    """The case of a machine of a seeded estate, None for most; it began some days before it was planted."""
    if chance(seed, machine, "case") >= SHARE:
        return None
    kind = KINDS[int(chance(seed, machine, "kind of case") * len(KINDS))]
    return Case(kind, float(int(now_s - chance(seed, machine, "case began") * _BEGAN_BEFORE_DAYS * _DAY_S)))


def shaped(case: Case, machine: str, measured: Mapping[str, float], time_s: float) -> dict[str, float]:
    """The values that the case changes, of those that the machine would have on its own."""
    if time_s < case.began_s:
        return {}
    noise = measured["error_rate"] / 0.4  # in [0, 1), another one each slot
    if case.kind == IDLE:
        return {"cpu": IDLE_CPU_MAX * (0.4 + 0.6 * noise), "network_in": 200 * noise, "network_out": 400 * noise,
                "requests_per_second": 0.0}  # fmt: skip
    if case.kind == OVERSIZED:
        return {"cpu": 4 + (OVERSIZED_CPU_MAX - 4) * min(1.0, measured["cpu"] / 100),
                "memory": OVERSIZED_MEMORY_MAX * (0.7 + 0.3 * noise)}  # fmt: skip
    if case.kind == DISK_FILLING:
        days = (time_s - case.began_s) / _DAY_S
        return {"disk": min(100.0, DISK_AT_FIRST + days * disk_percent_a_day(machine))}
    if case.kind == RUNAWAY:
        hours = (time_s - case.began_s) / 3600
        return {"cpu": RUNAWAY_CPU_MIN + 3 * noise, "memory": min(98.0, max(measured["memory"], 60 + 4 * hours)),
                "error_rate": 2.0 + 3 * noise}  # fmt: skip
    return _bursting(machine, measured, time_s, noise)


def _bursting(machine: str, measured: Mapping[str, float], time_s: float, noise: float) -> dict[str, float]:
    hour = dt.datetime.fromtimestamp(time_s, dt.UTC).hour
    if not 0 <= (hour - burst_hour(machine)) % 24 < BURST_HOURS:
        return {}
    return {name: measured[name] * 8 for name in ("network_in", "network_out", "requests_per_second")} | {
        "cpu": 90 + 9 * noise,
        "response_time_ms": measured["response_time_ms"] * 5,
    }


def disk_percent_a_day(machine: str) -> float:
    return 1.5 + 3 * chance(machine, "disk a day")


def burst_hour(machine: str) -> int:
    """UTC, in which the daily burst begins."""
    return int(chance(machine, "burst hour") * 24)


def right_answer(case: Case, machine: str) -> dict[str, Any]:
    """What whoever looks at the machine should come to; times are ISO 8601 in UTC."""
    if case.kind == IDLE:
        return {"action": "stop", "cpu_percent_max": IDLE_CPU_MAX, "since": _moment(case.began_s)}
    if case.kind == OVERSIZED:
        return {"action": "scale_down", "cpu_percent_max": OVERSIZED_CPU_MAX,
                "memory_percent_max": OVERSIZED_MEMORY_MAX, "since": _moment(case.began_s)}  # fmt: skip
    if case.kind == DISK_FILLING:
        days = (100 - DISK_AT_FIRST) / disk_percent_a_day(machine)
        return {"action": "grow_disk", "full_at": _moment(case.began_s + math.ceil(days * _DAY_S)),
                "percent_a_day": disk_percent_a_day(machine)}  # fmt: skip
    if case.kind == RUNAWAY:
        return {"action": "restart", "since": _moment(case.began_s)}
    return {"action": "scale_out_by_schedule", "hour_utc": burst_hour(machine), "hours": BURST_HOURS}


def _moment(time_s: float) -> str:
    return dt.datetime.fromtimestamp(time_s, dt.UTC).isoformat()


class Cases:
    """The cases in force, kept in a file that is replaced whole: a restart goes on with the same ones."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        rows = json.loads(path.read_text()) if path.exists() else {}
        self._cases = {machine: Case(**row) for machine, row in rows.items()}

    def of(self, machine: str) -> Case | None:
        return self._cases.get(machine)

    def plant(self, seed: int, machines: Iterable[str], now_s: float) -> None:
        """Give the machines of a seeded estate the cases that its seed has for them."""
        found = {machine: planted_case(seed, machine, now_s) for machine in machines}
        self._put({machine: case for machine, case in found.items() if case is not None})

    def set(self, document: Mapping[str, Any], now_s: float) -> None:
        """`instance_id`, `case` (null takes it back), `began_s` (default: now). Raises ValueError, TypeError."""
        if set(document) - {"instance_id", "case", "began_s"}:
            raise ValueError("a case has instance_id, case and began_s")
        machine, kind, began_s = document.get("instance_id"), document.get("case"), document.get("began_s", now_s)
        if not isinstance(machine, str) or not machine:
            raise TypeError("instance_id must be text")
        if isinstance(began_s, bool) or not isinstance(began_s, (int, float)) or not math.isfinite(began_s):
            raise TypeError("began_s must be a number")
        self._put({machine: None if kind is None else Case(str(kind), float(began_s))})

    def listed(self) -> list[dict[str, Any]]:
        """Each with its right answer."""
        return [
            {"instance_id": machine, "case": case.kind, "began_s": case.began_s, "answer": right_answer(case, machine)}
            for machine, case in self._cases.items()
        ]

    def _put(self, cases: Mapping[str, Case | None]) -> None:
        if not cases:
            return
        with self._lock:
            together = {**self._cases, **cases}
            self._cases = {machine: case for machine, case in together.items() if case is not None}
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps({machine: asdict(case) for machine, case in self._cases.items()}))
            draft.replace(self._path)

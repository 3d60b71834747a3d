"""Which calls are to be throttled, delayed, refused or cut off, because a test or a demonstration asked for it?"""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

MATCHED = ("account", "region", "service", "action")
STATE = frozenset({"identifier", "until_s", "tokens", "refilled_s"})
OWN_KINDS = frozenset({"slow_body_ms", "cut_body", "fail_operation", "stale_s"})
NUMBER_MAX = 1e9
"""Milliseconds (11 days) or seconds (30 years): a longer sleep is a mistake, and some are more than a timer takes."""
DEFAULT_CODES = {
    429: "RequestLimitExceeded",
    500: "InternalError",
    503: "ServiceUnavailable",
    400: "InvalidParameterValue",
}


@dataclass
class Fault:
    """Answers matching calls with `status` and `code`, or closes the connection (`reset`), after `latency_ms`.

    With `calls_per_s` only what exceeds a token bucket of that refill (and of `calls_at_once`) is answered so.
    `after` performs the call first and then loses the answer. `match` holds patterns (`*` matches all) for account,
    region, service and action; a missing one matches all. Ends after `count` calls and at `until_s` (monotonic).

    The simulated clouds of our own (not AWS) know more: `slow_body_ms` lets the answer's body drip for so long,
    `cut_body` breaks it off in the middle, `fail_operation` lets the long work that a call begins end badly, and
    `stale_s` hides from lists what is younger.
    """

    identifier: int
    match: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    code: str = "InternalError"
    retry_after_s: float | None = None
    latency_ms: float = 0.0
    reset: bool = False
    after: bool = False
    slow_body_ms: float = 0.0
    cut_body: bool = False
    fail_operation: bool = False
    stale_s: float = 0.0
    count: int | None = None
    until_s: float | None = None
    calls_per_s: float | None = None
    calls_at_once: float = 1.0
    tokens: float = 0.0
    refilled_s: float = 0.0

    def lets_through(self, now_s: float) -> bool:
        """Whether its bucket has a token for this call, which is then spent."""
        if self.calls_per_s is None:
            return False
        self.tokens = min(self.calls_at_once, self.tokens + (now_s - self.refilled_s) * self.calls_per_s)
        self.refilled_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    @property
    def is_refusal(self) -> bool:
        """Whether the caller does not get the call's own answer; a fault of latency alone lets it through."""
        return self.reset or self.after or self.status is not None

    def matches(self, facts: Mapping[str, str]) -> bool:
        return all(fnmatchcase(facts[name], pattern) for name, pattern in self.match.items())


def _number(document: Mapping[str, Any], name: str, kind: type = float) -> Any:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= NUMBER_MAX:
        raise ValueError(f"{name} must be a number from 0 to {NUMBER_MAX:g}")
    return kind(value)


def _fault(identifier: int, document: Mapping[str, Any], now_s: float, kinds: Collection[str]) -> Fault:
    known = {*Fault.__dataclass_fields__, "duration_s"} - STATE - (OWN_KINDS - set(kinds))
    if set(document) - known:
        raise ValueError(f"unknown: {', '.join(sorted(set(document) - known))}")
    match = document.get("match", {})
    if not isinstance(match, dict) or set(match) - set(MATCHED) or not all(isinstance(v, str) for v in match.values()):
        raise ValueError(f"match takes text for {', '.join(MATCHED)}")
    status, duration_s = _number(document, "status", int), _number(document, "duration_s")
    if status is not None and not 400 <= status <= 599:
        raise ValueError("status must be 400 to 599")
    at_once = _number(document, "calls_at_once") or 1.0
    code = document.get("code") or DEFAULT_CODES.get(status or 0, "InternalError")
    return Fault(
        identifier,
        match,
        status,
        str(code),
        _number(document, "retry_after_s"),
        _number(document, "latency_ms") or 0.0,
        bool(document.get("reset")),
        bool(document.get("after")),
        _number(document, "slow_body_ms") or 0.0,
        bool(document.get("cut_body")),
        bool(document.get("fail_operation")),
        _number(document, "stale_s") or 0.0,
        _number(document, "count", int),
        now_s + duration_s if duration_s is not None else None,
        _number(document, "calls_per_s"),
        at_once,
        at_once,
        now_s,
    )


class Faults:
    """The faults in force. They live in memory only: a restarted cloud is a healthy one."""

    def __init__(self, kinds: Collection[str] = ()) -> None:
        """`kinds` are those of OWN_KINDS that this cloud can do."""
        self._kinds = kinds
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, document: Mapping[str, Any]) -> Fault:
        """Puts a fault in force; raises ValueError, naming what is wrong, for one that makes no sense."""
        with self._lock:
            fault = _fault(self._made + 1, document, time.monotonic(), self._kinds)
            self._made += 1
            self._faults.append(fault)
            return fault

    def take(self, facts: Mapping[str, str]) -> Fault | None:
        """The oldest fault that concerns this call, one use of it spent."""
        with self._lock:
            now_s = time.monotonic()
            self._faults = [f for f in self._faults if f.count != 0 and (f.until_s is None or now_s < f.until_s)]
            fault = next((f for f in self._faults if f.matches(facts) and not f.lets_through(now_s)), None)
            if fault is not None and fault.count is not None:
                fault.count -= 1
            return fault

    def lose_region(self, facts: Mapping[str, str], region: str) -> bool:
        """Whether a fault refuses every call of this region, for what tells of regions; spends no use of it.

        `facts` are account and service. A fault that names no region, or names an action too, loses no region.
        """
        with self._lock:
            now_s = time.monotonic()
            return any(
                fault.is_refusal
                and fault.calls_per_s is None
                and "region" in fault.match
                and fault.match.get("action", "*") == "*"
                and fault.matches({**facts, "region": region, "action": ""})
                and fault.count != 0
                and (fault.until_s is None or now_s < fault.until_s)
                for fault in self._faults
            )

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults if fault.count != 0]

    def clear(self) -> int:
        """Ends all faults and says how many there were."""
        with self._lock:
            ended, self._faults = len(self._faults), []
            return ended

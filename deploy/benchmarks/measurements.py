"""What is a measurement? A name, a goal, five rounds of which the median counts, and what was noted beside it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One row of docs/benchmarks.md. `met` is None where there is no goal to meet."""

    what: str
    goal: str
    measured: str
    met: bool | None
    notes: str = ""
    load_average: float = field(default_factory=lambda: os.getloadavg()[0])


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wait_until(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.05) -> None:
    """Raises TimeoutError."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not after {timeout_s:.0f} s")
        time.sleep(every_s)


def listed(values: list[float], digits: int = 0) -> str:
    """All rounds, for the notes."""
    return "rounds: " + ", ".join(f"{value:.{digits}f}" for value in values)

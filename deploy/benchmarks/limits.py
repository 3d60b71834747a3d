"""How much of a hidden limit do replicas use, how often do they exceed it, and does a small scope get through?

The provider is a process of its own (`deploy.benchmarks.hidden_limit`), so is each of the three replicas
(`deploy.benchmarks.budget_caller`): they share the budget over a real NATS and nothing else. Two have a huge scope of
200 workers each, the third a small one. Beside it the same load with fixed numbers of workers and no budget.
"""

import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.benchmarks.budget_caller import PAGES, Orders
from deploy.benchmarks.hidden_limit import Count, Rules
from deploy.benchmarks.measurements import Row
from deploy.local.nats import Nats
from shared.bus.connection import create_bus
from shared.bus.topology import reconcile
from shared.kit.settings import BaseServiceSettings

LIMITS = (40.0, 20.0, 60.0, 30.0)
PHASE_S, SHORT_PHASE_S = 30.0, 8.0
HUGE, REPLICAS = 200, 3
FIXED = (10, 100, 1000)
GOAL_GOODPUT, GOAL_THROTTLED, GOAL_SLOWED = 0.9, 0.02, 1.5


def measure() -> list[Row]:
    """Two minutes through the budget, half a minute of the small scope alone, and of each number of workers."""
    with tempfile.TemporaryDirectory() as home:
        nats = Nats(Path(home))
        nats.start()
        try:
            asyncio.run(_make_bucket(nats.url))
            alone = _budgeted(nats.url, "alone", huge=0, seconds=SHORT_PHASE_S)
            shared = _budgeted(nats.url, "shared", huge=HUGE, seconds=PHASE_S)
        finally:
            nats.stop()
    fixed = {workers: _fixed(workers) for workers in FIXED}
    return [_row(alone, shared, fixed)]


Outcome = tuple[Count, list[float]]


def _row(alone: Outcome, shared: Outcome, fixed: dict[int, Outcome]) -> Row:
    alone_s = statistics.median(alone[1])
    goodput, throttled, slowed = _figures(shared, alone_s)
    met = goodput >= GOAL_GOODPUT and throttled < GOAL_THROTTLED and slowed is not None and slowed <= GOAL_SLOWED
    notes = [
        f"{REPLICAS} replicas, limit {'/'.join(f'{limit:.0f}' for limit in LIMITS)} a second for {PHASE_S:.0f} s each",
        f"a pass of the small scope is {PAGES} calls and takes {alone_s:.2f} s alone",
        *(f"{workers} fixed workers: {_said(_figures(outcome, alone_s))}" for workers, outcome in fixed.items()),
    ]
    goal = f"goodput {GOAL_GOODPUT:.0%}, throttled < {GOAL_THROTTLED:.0%}, small scope {GOAL_SLOWED}x"
    return Row("hidden limits that change, shared by replicas", goal, _said((goodput, throttled, slowed)), met,
               "; ".join(notes))  # fmt: skip


def _figures(outcome: Outcome, alone_s: float) -> tuple[float, float, float | None]:
    """Taken calls by the limit, refused ones by all, and how much longer a small pass took (None: none ended)."""
    count, took_s = outcome
    slowed = statistics.median(took_s) / alone_s if took_s else None
    return count.taken / count.allowed, count.refused / (count.taken + count.refused), slowed


def _said(figures: tuple[float, float, float | None]) -> str:
    goodput, throttled, slowed = figures
    small = "no pass of the small scope ended" if slowed is None else f"small scope {slowed:.2f}x"
    return f"goodput {goodput:.1%}, throttled {throttled:.2%}, {small}"


async def _make_bucket(nats_url: str) -> None:
    bus = create_bus(BaseServiceSettings(nats_url=nats_url), "topology")
    await bus.open()
    await reconcile(bus.jetstream, [])
    await bus.close()


def _budgeted(nats_url: str, budget: str, *, huge: int, seconds: float) -> Outcome:
    with _hidden_limit(seconds) as port:
        length_s = seconds * len(LIMITS)
        orders = [Orders(port, length_s, huge, small=False, budget=budget, nats_url=nats_url)] * (REPLICAS - 1)
        orders += [Orders(port, length_s, 0, small=True, budget=budget, nats_url=nats_url)]
        return _run(port, orders)


def _fixed(workers: int) -> Outcome:
    with _hidden_limit(SHORT_PHASE_S) as port:
        length_s = SHORT_PHASE_S * len(LIMITS)
        return _run(port, [Orders(port, length_s, workers, small=True, budget="", nats_url=None)])


@contextmanager
def _hidden_limit(phase_s: float) -> Iterator[int]:
    rules = Rules([(phase_s, limit) for limit in LIMITS])
    command = [sys.executable, "-m", "deploy.benchmarks.hidden_limit", json.dumps(asdict(rules))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def _run(port: int, orders: list[Orders]) -> Outcome:
    """Let replicas begin together; what was taken is counted at the end of their time, not of their processes."""
    command = [sys.executable, "-m", "deploy.benchmarks.budget_caller"]
    pipe = subprocess.PIPE
    replicas = [subprocess.Popen([*command, json.dumps(asdict(each))], stdin=pipe, stdout=pipe, text=True)
                for each in orders]  # fmt: skip
    for replica in replicas:
        assert replica.stdout is not None
        while replica.stdout.readline().strip() != "ready":
            if replica.poll() is not None:
                raise RuntimeError("a replica ended before it began")
    for replica in replicas:
        assert replica.stdin is not None
        replica.stdin.write("begin\n")
        replica.stdin.flush()
    time.sleep(orders[0].seconds)
    count, took_s = _counted(port), list[float]()
    for replica in replicas:
        found, _ = replica.communicate()
        took_s += json.loads(found.splitlines()[-1])
    return count, took_s


def _counted(port: int) -> Count:
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rw") as lines:
        lines.write("count\n")
        lines.flush()
        found: dict[str, Any] = json.loads(lines.readline())
    return Count(**found)

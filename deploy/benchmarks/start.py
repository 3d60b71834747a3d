"""`make up`, the second time: from the call to the line that says ready, on data that are there."""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.benchmarks.deployment import processes_of
from deploy.benchmarks.measurements import ROUNDS, Row, listed
from deploy.benchmarks.usage import memory_mb
from deploy.local.ports import free_port
from deploy.local.stack import PROGRAMS

GOAL_S = 10
GOAL_MB = 150
IDLE_S = 5


def measure() -> list[Row]:
    """The first start is not counted; then five, with the memory of each process some seconds after each of them."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CANOPY_HOME": home, "CANOPY_HTTP_PORT": str(free_port())}
        first_s, _ = _up(environment)
        rounds = [_up(environment) for _ in range(ROUNDS)]
        took_s = [seconds for seconds, _ in rounds]
        median_s = statistics.median(took_s)
        start = Row("`make up`, second start to ready", f"{GOAL_S} s", f"{median_s:.1f} s", median_s <= GOAL_S,
                    f"{listed(took_s, 1)}; first start {first_s:.1f} s")  # fmt: skip
        return [start, _memory([found for _, found in rounds])]


def _up(environment: dict[str, str]) -> tuple[float, dict[str, float]]:
    """Seconds from the call to ready, and each process's memory in MB when idle; everything is stopped again."""
    started_s = time.monotonic()
    command = [sys.executable, "-m", "deploy.local", "up"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if re.search(r"ready after", line):
                break
        else:
            raise RuntimeError("the stack did not start")
        took_s = time.monotonic() - started_s
        time.sleep(IDLE_S)
        memory = {name: memory_mb(pid) for name, pid in processes_of(Path(environment["CANOPY_HOME"])).items()}
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    return took_s, memory


def _memory(rounds: list[dict[str, float]]) -> Row:
    median = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    largest = max(median[name] for name in PROGRAMS)
    stated = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in median.items())
    return Row(
        "memory of each service, idle", f"< {GOAL_MB} MB", f"largest {largest:.0f} MB", largest < GOAL_MB, stated
    )

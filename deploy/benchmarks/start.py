"""`make up`, the second time: from the call to the line that says ready, on data that are there."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.benchmarks.deployment import memory_mb, processes, running
from deploy.benchmarks.measurements import Row, listed, median_of
from deploy.local.processes import free_port
from deploy.local.stack import PROGRAMS

GOAL_S = 10
GOAL_MB = 150
IDLE_S = 10


def measure() -> list[Row]:
    """The first start is not counted; then five. And the memory of each process ten seconds after a start."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CANOPY_HOME": home, "CANOPY_HTTP_PORT": str(free_port())}
        first = _up(environment)
        median, rounds = median_of(lambda: _up(environment))
        start = Row("`make up`, second start to ready", f"{GOAL_S} s", f"{median:.1f} s", median <= GOAL_S,
                    f"{listed(rounds, 1)}; first start {first:.1f} s")  # fmt: skip
        return [start, _memory(Path(home))]


def _up(environment: dict[str, str]) -> float:
    """Seconds from the call to ready; everything is stopped again."""
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
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    return took_s


def _memory(home: Path) -> Row:
    with running(home) as deployment:
        time.sleep(IDLE_S)
        found = {name: memory_mb(pid) for name, pid in processes(deployment).items()}
    ours = {name: found[name] for name in PROGRAMS}
    stated = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in found.items())
    largest = max(ours.values())
    return Row(
        "memory of each service, idle", f"< {GOAL_MB} MB", f"largest {largest:.0f} MB", largest < GOAL_MB, stated
    )

"""Which process is behind a pid that somebody wrote down earlier?"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def started_at(pid: int) -> str | None:
    """What tells this process from a later one with the same pid; None when it is gone or a zombie.

    Linux: clock ticks since boot (/proc/<pid>/stat, field 22) with the boot's id; elsewhere the start time of `ps`.
    """
    if sys.platform == "linux":
        try:
            # The second field, the command in parentheses, may itself hold spaces and parentheses.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        if fields[0] in "ZX":
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{fields[19]}"
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not answer or answer.startswith("Z") else answer.partition(" ")[2].strip()


def command_of(pid: int) -> list[str]:
    """The command line of a living process, one entry a word; empty when it is gone or a zombie."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").rstrip("\0").split("\0")
        except OSError:
            return []
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.split()


def end(
    pid: int, identity: str, signals: tuple[int, ...] = (signal.SIGTERM, signal.SIGKILL), grace_s: float = 5
) -> bool:
    """Send the signals in turn, each with a grace time, for as long as the pid is still that very process.

    Returns whether it is gone. A pid that meanwhile belongs to another process is left alone.
    """
    for number in signals:
        if started_at(pid) != identity:
            return True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
        if gone(pid, identity, grace_s):
            return True
    return False


def gone(pid: int, identity: str, within_s: float) -> bool:
    """Wait until that very process is gone; False when it still runs after `within_s`."""
    deadline = time.monotonic() + within_s
    while started_at(pid) == identity:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True

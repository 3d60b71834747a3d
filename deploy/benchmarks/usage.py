"""What do processes use of the machine, as Linux counts it?"""

import os
import resource
from pathlib import Path


def memory_mb(pid: int) -> float:
    """Resident memory of a process and of its children."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return pages * resource.getpagesize() / 1024**2 + sum(memory_mb(int(child)) for child in children)


def forget_peak(pid: int) -> None:
    """Let a process's peak of resident memory begin anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """The most resident memory that a process had since it began its program, or since `forget_peak`.

    Not `ru_maxrss`, which begins with what the process had that started it.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

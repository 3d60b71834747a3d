"""How do many children start in order, come back when they crash, stop in reverse, and get found after a kill -9?"""

import contextlib
import fcntl
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.local import process_table
from deploy.local.processes import Process, StartFailed

GRACE_S = 12.0
_LONGEST_PAUSE_S = 30.0
_STEADY_AFTER_S = 60.0


@dataclass
class _Watched:
    process: Process
    wave: int
    wanted: bool = True
    """False after a stop or kill on purpose: such a child is not brought back."""
    started_s: float = 0.0
    crashes: int = 0
    retry_at_s: float | None = None


class Supervisor:
    """The children of one data folder, in the order in which they were started.

    `state.json` in that folder says what runs: pid, start time, log and readiness address of each child. It is for
    `canopy status` and for the next supervisor, which ends what an earlier one had to leave behind.
    """

    def __init__(self, home: Path, say: Callable[[str], None] = lambda _line: None) -> None:
        self.home = home
        self._say = say
        self._children: dict[str, _Watched] = {}
        self._facts: dict[str, Any] = {}
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Take the data folder and end what an earlier supervisor left; StartFailed while that one still runs."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        lock = (self.home / "supervisor.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StartFailed(f"{self.home} is in use by another `make up`") from None
        self._lock = lock
        self._children.clear()
        self._end_left_behind()

    def note(self, **facts: Any) -> None:
        """Facts for `state.json` beside the children: addresses and ports."""
        self._facts |= facts
        self._write_state()

    def start(self, processes: Iterable[Process]) -> None:
        """Start these children without waiting for them to be ready; they will also be stopped together."""
        wave = len(self._children)
        for process in processes:
            self._children[process.name] = _Watched(process, wave, started_s=time.monotonic())
            process.start()
        self._write_state()

    def wait_ready(self, names: Iterable[str], timeout_s: float = 90.0) -> None:
        """Wait for each of these; raises StartFailed with the end of its log."""
        deadline = time.monotonic() + timeout_s
        for name in names:
            self.process(name).wait_ready(max(0.1, deadline - time.monotonic()))

    def names(self) -> list[str]:
        return list(self._children)

    def process(self, name: str) -> Process:
        """Raises LookupError for a name that was never started."""
        return self._child(name).process

    def kill(self, name: str) -> None:
        """SIGKILL, and leave it dead until `restart`."""
        child = self._child(name)
        child.wanted = False
        child.process.kill()
        self._write_state()

    def stop(self, name: str) -> None:
        """Stop one in peace, and leave it stopped until `restart`."""
        child = self._child(name)
        child.wanted = False
        child.process.stop(GRACE_S)
        self._write_state()

    def restart(self, name: str, *, wait: bool = True) -> None:
        """Start it again (stopping it first when it runs) and wait until it is ready."""
        child = self._child(name)
        child.process.stop(GRACE_S)
        child.wanted, child.retry_at_s, child.started_s = True, None, time.monotonic()
        child.process.start()
        self._write_state()
        if wait:
            child.process.wait_ready()

    def bring_back_crashed(self) -> None:
        """One look at every child: say what ended by itself and start it again after a pause that doubles."""
        now_s = time.monotonic()
        for name, child in self._children.items():
            if not child.wanted or child.process.alive:
                continue
            if child.retry_at_s is None:
                child.crashes = 1 if now_s - child.started_s > _STEADY_AFTER_S else child.crashes + 1
                pause_s = min(2.0 ** (child.crashes - 1), _LONGEST_PAUSE_S)
                child.retry_at_s = now_s + pause_s
                ending, log = child.process.returncode, child.process.log
                self._say(f"{name} ended with {ending}, starting it again in {pause_s:g} s; see {log}")
            elif now_s >= child.retry_at_s:
                self._start_again(name, child, now_s)

    def close(self) -> None:
        """Stop everything in reverse order; what was started together is stopped together."""
        if self._lock is None:  # never opened: the folder and its state are another supervisor's
            return
        for child in self._children.values():
            child.wanted = False
        by_wave = sorted(self._children.values(), key=lambda child: child.wave, reverse=True)
        for _, wave in itertools.groupby(by_wave, key=lambda child: child.wave):
            _stop_together([child.process for child in wave])
        self._write_state()
        self._lock.close()
        self._lock = None

    def _end_left_behind(self) -> None:
        found = [entry for entry in left_behind(self.home) if process_table.started_at(entry.pid) == entry.started_at]
        for entry in found:
            self._say(f"ending {entry.name} (pid {entry.pid}), left behind by an earlier start")
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(entry.pid, entry.stop_signal)
        for entry in found:
            process_table.end(entry.pid, entry.started_at, (entry.stop_signal, signal.SIGKILL))

    def _start_again(self, name: str, child: _Watched, now_s: float) -> None:
        child.retry_at_s, child.started_s = None, now_s
        try:
            child.process.start()
        except (OSError, StartFailed) as failure:
            self._say(f"{name} did not start: {failure}")
        self._write_state()

    def _child(self, name: str) -> _Watched:
        if name not in self._children:
            raise LookupError(f"no process is called {name!r}; there are {', '.join(self._children)}")
        return self._children[name]

    def _write_state(self) -> None:
        state = {
            "supervisor": {"pid": os.getpid(), "started_at": process_table.started_at(os.getpid())},
            **self._facts,
            "processes": {name: _entry(child.process) for name, child in self._children.items()},
        }
        unfinished = self.home / "state.unfinished"
        unfinished.write_text(json.dumps(state, indent=1))
        unfinished.replace(self.home / "state.json")


@dataclass(frozen=True)
class LeftBehind:
    """A child as an earlier supervisor wrote it down; only with the same start time is the pid still that process."""

    name: str
    pid: int
    started_at: str
    stop_signal: int


def left_behind(home: Path) -> list[LeftBehind]:
    """Every child that `state.json` lists as running, newest first; empty when there is no readable file."""
    try:
        processes: Mapping[str, Any] = json.loads((home / "state.json").read_text())["processes"]
        listed = [
            LeftBehind(name, int(entry["pid"]), str(entry["started_at"]), int(entry["stop_signal"]))
            for name, entry in processes.items()
            if entry["pid"] is not None and entry["started_at"] is not None
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return listed[::-1]


def _stop_together(processes: list[Process]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE_S
    for process in processes:
        process.stop(max(0.1, deadline - time.monotonic()))


def _entry(process: Process) -> dict[str, Any]:
    pid = process.pid if process.alive else None
    return {
        "pid": pid,
        "started_at": None if pid is None else process_table.started_at(pid),
        "stop_signal": int(process.stop_signal),
        "log": str(process.log),
        "ready_url": process.ready_url,
    }

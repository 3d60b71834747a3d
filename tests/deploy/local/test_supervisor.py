"""Are children started, stopped, brought back and found again, whatever kills whom?"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import process_table, processes
from deploy.local.ports import free_port
from deploy.local.processes import Process, StartFailed
from deploy.local.supervisor import Supervisor, left_behind

_SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
_STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]


def sleeper(folder: Path, name: str = "sleeper") -> Process:
    return Process(name, _SLEEPER, folder / f"{name}.log")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, said.append)
    supervisor.open()
    yield supervisor
    supervisor.close()


def test_a_stop_leaves_no_process(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([sleeper(tmp_path, "first"), sleeper(tmp_path, "second")])
    pids = [supervisor.process(name).pid for name in supervisor.names()]
    supervisor.close()
    assert [process_table.started_at(pid) for pid in pids if pid] == [None, None]


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    child = Process("stubborn", _STUBBORN, tmp_path / "stubborn.log")
    child.start()
    child.wait_until(lambda: "deaf" in child.last_lines())
    child.stop(grace_s=0.1)
    assert child.returncode == -signal.SIGKILL


def test_what_a_service_needs_ends_after_the_service(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = (
        "import signal, sys, time, pathlib\n"
        f"def end(*_):\n    pathlib.Path({str(order)!r}).open('a').write(sys.argv[1] + ' '); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(600)"
    )
    for name in ("server", "service"):
        process = Process(name, [sys.executable, "-c", script, name], tmp_path / f"{name}.log")
        supervisor.start([process])
        process.wait_until(lambda process=process: "ready" in process.last_lines())
    supervisor.close()
    assert order.read_text().split() == ["service", "server"]


def test_a_crashed_child_is_said_and_brought_back(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    supervisor.start([sleeper(tmp_path)])
    first = supervisor.process("sleeper").pid
    supervisor.process("sleeper").kill()
    while not supervisor.process("sleeper").alive:
        supervisor.bring_back_crashed()
    assert supervisor.process("sleeper").pid != first
    assert said == [f"sleeper ended with -9, starting it again in 1 s; see {tmp_path / 'sleeper.log'}"]


def test_a_child_killed_on_purpose_stays_dead_until_it_is_restarted(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([sleeper(tmp_path)])
    supervisor.kill("sleeper")
    supervisor.bring_back_crashed()
    assert not supervisor.process("sleeper").alive
    supervisor.restart("sleeper")
    assert supervisor.process("sleeper").alive


def test_a_child_that_ends_before_it_is_ready_shows_the_end_of_its_log(tmp_path: Path) -> None:
    child = Process(
        "broken",
        [sys.executable, "-c", "raise SystemExit('no such setting')"],
        tmp_path / "broken.log",
        ready_url=f"http://127.0.0.1:{free_port()}/readyz",
    )
    child.start()
    with pytest.raises(StartFailed, match="no such setting"):
        child.wait_ready()


def test_a_second_supervisor_of_the_same_folder_is_refused(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([sleeper(tmp_path)])
    second = Supervisor(tmp_path)
    with pytest.raises(StartFailed, match="in use"):
        second.open()
    second.close()
    assert [child.name for child in left_behind(tmp_path)] == ["sleeper"]


def test_a_child_that_survived_its_supervisor_is_ended_at_the_next_start(tmp_path: Path) -> None:
    survivor = subprocess.Popen(_SLEEPER)
    _write_state(tmp_path, survivor.pid, process_table.started_at(survivor.pid))
    Supervisor(tmp_path).open()
    assert survivor.wait() == -signal.SIGTERM


def test_a_pid_that_was_given_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(_SLEEPER)
    try:
        _write_state(tmp_path, stranger.pid, "another boot:1")
        Supervisor(tmp_path).open()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"processes": {"a": {"pid": "x"}}}', '{"processes": 1}'])
def test_a_damaged_state_file_does_not_block_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert left_behind(tmp_path) == []


def test_children_of_a_killed_supervisor_end(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from deploy.local.processes import Process; from deploy.local.supervisor import Supervisor\n"
        "home = Path(sys.argv[1]); supervisor = Supervisor(home); supervisor.open()\n"
        "supervisor.start([Process('sleeper', [sys.executable, '-c', 'import time; time.sleep(600)'], home / 'log')])\n"
        "print('started', flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "started\n"
    (child,) = left_behind(tmp_path)
    parent.kill()
    parent.wait()
    assert process_table.gone(child.pid, child.started_at, within_s=20)


def _write_state(home: Path, pid: int, started_at: str | None) -> None:
    entry = {"pid": pid, "started_at": started_at, "stop_signal": int(signal.SIGTERM)}
    (home / "state.json").write_text(json.dumps({"processes": {"child": entry}}))


def test_a_very_long_log_is_put_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LONGEST_LOG_BYTES", 3)
    child = sleeper(tmp_path)
    child.log.write_text("long")
    child.start()
    child.kill()
    assert (child.log.read_text(), (tmp_path / "sleeper.earlier.log").read_text()) == ("", "long")


def test_a_supervisor_that_was_closed_can_be_opened_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([sleeper(tmp_path)])
    supervisor.close()
    supervisor.open()
    supervisor.start([sleeper(tmp_path, "another")])
    assert supervisor.names() == ["another"]

"""Does `make up` come up, end without a trace, and come up again after the worst end?"""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx
import pytest

from deploy.local import process_table
from deploy.local.environment import ROOT
from deploy.local.ports import free_port
from deploy.local.supervisor import LeftBehind, left_behind

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def home(server_folder: Path) -> Path:
    return server_folder / "up"


@pytest.fixture(scope="module")
def http_port() -> int:
    """One that both starts can have: below those that the system gives to whoever asks, so that nobody takes it meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(home: Path, http_port: int) -> Iterator[subprocess.Popen[str]]:
    """`make up` from the moment it says that it is ready; ended the hard way if the test did not end it."""
    environment = os.environ | {"CANOPY_HOME": str(home), "CANOPY_HTTP_PORT": str(http_port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = _read_until_ready(process.stdout)
        assert "canopy: ready after" in said, said
        yield process
    finally:
        process.kill()
        process.wait()


def _read_until_ready(output: IO[str]) -> str:
    lines = []
    for line in output:
        lines.append(line)
        if line.startswith("Ctrl-C stops"):
            break
    return "".join(lines)


def demonstration(home: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (home / "demo.env").read_text().splitlines())


def providers(home: Path) -> list[str]:
    known = demonstration(home)
    answer = httpx.get(f"{known['CANOPY_URL']}/api/cloud/providers", headers={"X-API-Key": known["CANOPY_TOKEN"]})
    answer.raise_for_status()
    return [provider["id"] for provider in answer.json()["items"]]


def gone(children: list[LeftBehind]) -> list[str]:
    """Names of children that still run after a generous time."""
    return [child.name for child in children if not process_table.gone(child.pid, child.started_at, within_s=30)]


def test_up_seeds_a_demonstration_refuses_a_second_start_and_has_it_again_after_the_worst_end(
    home: Path, http_port: int
) -> None:
    with running(home, http_port) as process:
        children = left_behind(home)
        assert {"nats", "postgres", "aws", "sinks", "load", "gateway", "notifier"} <= {child.name for child in children}
        second = subprocess.run(
            [sys.executable, "-m", "deploy.local", "up"],
            cwd=ROOT,
            env=os.environ | {"CANOPY_HOME": str(home), "CANOPY_HTTP_PORT": str(free_port())},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "is in use by another" in second.stdout
        before, token = providers(home), demonstration(home)["CANOPY_TOKEN"]
        assert len(before) == 1
        process.kill()
        process.wait()
    with running(home, http_port) as process:
        assert providers(home) == before
        assert demonstration(home)["CANOPY_TOKEN"] == token
        assert gone(children) == []
        children = left_behind(home)
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 0
    assert [child.name for child in children if process_table.started_at(child.pid) == child.started_at] == []

"""Does an address that somebody stored still work after a restart?"""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import ports as module
from deploy.local.ports import Ports, free_port

ANOTHER_STACK = (
    "import pathlib, sys; from deploy.local.ports import Ports; print(Ports(pathlib.Path(sys.argv[1])).of('sinks'))"
)


def test_a_second_start_listens_where_the_first_did(tmp_path: Path) -> None:
    assert Ports(tmp_path / "ports.json").of("sinks") == Ports(tmp_path / "ports.json").of("sinks")


def test_a_port_that_somebody_took_meanwhile_is_replaced(tmp_path: Path) -> None:
    kept = Ports(tmp_path / "ports.json").of("sinks")
    with socket.create_server(("127.0.0.1", kept)):
        assert Ports(tmp_path / "ports.json").of("sinks") != kept


def test_no_two_names_share_a_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    assert len({ports.of(f"name-{number}") for number in range(50)}) == 50


def test_a_port_that_nobody_listens_on_yet_is_not_given_to_another_stack(tmp_path: Path) -> None:
    """Both start at once: neither listens when the other one looks."""
    ours = Ports(tmp_path / "ports.json").of("sinks")
    command = [sys.executable, "-c", ANOTHER_STACK, str(tmp_path / "ports.json")]
    theirs = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert theirs != ours


def test_a_kept_port_is_not_drawn_for_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Ports(tmp_path / "ports.json").of("sinks")
    monkeypatch.setattr(module, "_given", set())  # as in the process of the next start
    restarted, other = Ports(tmp_path / "ports.json"), free_port()
    assert restarted.of("sinks") == kept
    drawn = iter([kept, other + 1 if other + 1 != kept else other + 2, *module._PORTS])
    monkeypatch.setattr(module.secrets, "choice", lambda _: next(drawn))
    assert restarted.of("added") != kept


def test_no_connection_that_goes_out_takes_a_port_between_two_lives_of_its_process() -> None:
    outgoing = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(outgoing.read_text().split()[0]) if outgoing.exists() else 49_152
    assert free_port() < lowest

"""Does an address that somebody stored still work after a restart?"""

import socket
from pathlib import Path

from deploy.local.ports import Ports


def test_a_second_start_listens_where_the_first_did(tmp_path: Path) -> None:
    assert Ports(tmp_path / "ports.json").of("sinks") == Ports(tmp_path / "ports.json").of("sinks")


def test_a_port_that_somebody_took_meanwhile_is_replaced(tmp_path: Path) -> None:
    kept = Ports(tmp_path / "ports.json").of("sinks")
    with socket.create_server(("127.0.0.1", kept)):
        assert Ports(tmp_path / "ports.json").of("sinks") != kept


def test_no_two_names_share_a_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    assert len({ports.of(f"name-{number}") for number in range(50)}) == 50

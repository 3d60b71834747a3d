"""Which choices does an operator have when starting the simulated clouds?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`ports` by provider; 0, and a provider that is not named, means any free port.

    All ports are written to `port_file`, a JSON object by provider. `state_seconds` is how long a state takes.
    """

    data_dir: Path
    ports: Mapping[str, int] = field(default_factory=dict)
    port_file: Path | None = None
    state_seconds: float = 2.5
    host: str = "127.0.0.1"


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """The settings given on the command line; prints usage and leaves when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.clouds.world", description=__doc__)
    parser.add_argument("--host", default=Settings.host)
    parser.add_argument("--ports", default="", help="azure=5101,gcp=5102")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--state-seconds", type=float, default=Settings.state_seconds)
    given = parser.parse_args(arguments)
    if given.state_seconds < 0:
        parser.error("seconds must not be negative")
    try:
        pairs = [pair.split("=", 1) for pair in given.ports.split(",") if pair]
        ports = {name: int(port) for name, port in pairs}
    except ValueError:
        parser.error("--ports is name=number,name=number")
    return Settings(given.data_dir, ports, given.port_file, given.state_seconds, given.host)

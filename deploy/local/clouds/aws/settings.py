"""Which choices does an operator have when starting the simulated AWS?"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Port 0 means any free port, which is then written to `port_file`; `host` is a container's way to be reached.

    `state_seconds` is how long a machine stays pending, stopping or shutting-down and a snapshot pending;
    `metrics_save_s` is what of the metric data a kill may lose.
    """

    port: int
    data_dir: Path
    port_file: Path | None = None
    state_seconds: float = 2.5
    metrics_save_s: float = 30.0
    host: str = "127.0.0.1"


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """The settings given on the command line; prints usage and leaves when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.clouds.aws", description=__doc__)
    parser.add_argument("--host", default=Settings.host)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--state-seconds", type=float, default=Settings.state_seconds)
    parser.add_argument("--metrics-save-seconds", type=float, default=Settings.metrics_save_s)
    given = parser.parse_args(arguments)
    if given.state_seconds < 0 or given.metrics_save_seconds <= 0:
        parser.error("seconds must not be negative")
    return Settings(
        given.port, given.data_dir, given.port_file, given.state_seconds, given.metrics_save_seconds, given.host
    )

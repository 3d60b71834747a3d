"""Which deployment is meant? CANOPY_* variables; else the embedded one, whose files lie in $CANOPY_HOME (.canopy)."""

import os
import shlex
from pathlib import Path


def home() -> Path:
    return Path(os.environ.get("CANOPY_HOME") or ".canopy")


def read(file: Path) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines; none when there is no such file."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name.strip(): "".join(shlex.split(value)) for name, _, value in pairs}


def value(name: str, file: str = "demo.env") -> str | None:
    """A setting from the environment, else from a file of the embedded deployment."""
    return os.environ.get(name) or read(home() / file).get(name)


def operator_variables() -> dict[str, str]:
    """What operating the bus and the databases needs; the environment wins over the embedded deployment's file."""
    given = {name: text for name, text in os.environ.items() if name.startswith("CANOPY_")}
    return read(home() / "operator.env") | given

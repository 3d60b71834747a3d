"""Which plans do instances of Vultr come in? What `vultr-cli plans list` showed in October 2022, and one of 2023."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.machine_types import read_machine_types
from shared.clouds.models import MachineType


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By id. The family of `vc2-2c-4gb` is `vc2`; plans of São Paulo (`-sc1`) are families of their own."""
    return read_machine_types(Path(__file__).parent)

"""Which types do Linodes come in? What api.linode.com/v4/linode/types listed in December 2024, without GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.machine_types import read_machine_types
from shared.clouds.models import MachineType


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By id. The Nanode is the smallest of the family `g6-standard`."""
    return read_machine_types(Path(__file__).parent)

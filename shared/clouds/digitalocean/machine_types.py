"""Which sizes do droplets come in? What `doctl compute size list` showed in August 2025, without GPU droplets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.machine_types import read_machine_types
from shared.clouds.models import MachineType


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By slug. The family of `s-4vcpu-8gb-intel` is `s-intel`; with a larger disk than its like: `s-disk-intel`."""
    return read_machine_types(Path(__file__).parent)

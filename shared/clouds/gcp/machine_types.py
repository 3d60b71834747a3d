"""Which machine types has Compute Engine? A list of Cyclenerd/google-cloud-pricing-cost-calculator of 2026-07-30."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.machine_types import read_machine_types
from shared.clouds.models import MachineType


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By name. `vcpu` is what the machine sees: two of shared-core types, one of f1 and g1, not what is paid."""
    return read_machine_types(Path(__file__).parent)

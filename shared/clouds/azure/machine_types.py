"""Which sizes do virtual machines of Azure come in? A list of kubernetes/autoscaler, commit 55c37cd5 (2026-01)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.machine_types import read_machine_types
from shared.clouds.models import MachineType


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By name. The family of `Standard_D4s_v5` is `Standard_Ds_v5`; constrained cores (`E8-2s`) have their own."""
    return read_machine_types(Path(__file__).parent)

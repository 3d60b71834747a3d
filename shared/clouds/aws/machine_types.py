"""Which sizes do EC2 instances come in? Of kubernetes/autoscaler (2026-01-22) and DescribeInstanceTypes (2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.machine_types import read_machine_types
from shared.clouds.models import MachineType


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By name. The family of `m7i.2xlarge` is `m7i`; bare metal is told by its name (`m7i.metal-24xl`)."""
    return read_machine_types(Path(__file__).parent)

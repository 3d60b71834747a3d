"""Which sizes do EC2 instances come in? The file beside this code; machine_types.md says where it is from."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.clouds.models import MachineType

FILE = Path(__file__).with_name("machine_types.csv.gz")


@cache
def machine_types() -> Mapping[str, MachineType]:
    """By name. The family of `m7i.2xlarge` is `m7i`; bare metal is told by its name (`m7i.metal-24xl`)."""
    rows = csv.DictReader(io.StringIO(gzip.decompress(FILE.read_bytes()).decode()))
    return {row["type"]: _machine_type(row) for row in rows}


def _machine_type(row: Mapping[str, str]) -> MachineType:
    family, _, size = row["type"].rpartition(".")
    return MachineType(
        name=row["type"],
        family=family,
        vcpu=int(row["vcpu"]),
        memory_gib=float(row["memory_gib"]),
        architecture=row["architecture"],
        bare_metal=size.startswith("metal"),
    )

"""How is a list of machine sizes read? Each provider has its `machine_types.csv.gz`; machine_types.md says whence."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from pathlib import Path

from shared.clouds.models import MachineType

NAME = "machine_types.csv.gz"


def read_machine_types(folder: Path) -> Mapping[str, MachineType]:
    """The sizes in a provider's folder, by name."""
    rows = csv.DictReader(io.StringIO(gzip.decompress((folder / NAME).read_bytes()).decode()))
    return {row["type"]: _machine_type(row) for row in rows}


def _machine_type(row: Mapping[str, str]) -> MachineType:
    return MachineType(
        name=row["type"],
        family=row["family"],
        vcpu=int(row["vcpu"]),
        memory_gib=float(row["memory_gib"]),
        architecture=row["architecture"],
        bare_metal=row["bare_metal"] == "yes",
        disk_gib=int(row["disk_gib"]) if row["disk_gib"] else None,
    )

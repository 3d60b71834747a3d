"""What are Google's things called here?

A machine's id is `zones/us-central1-a/instances/web`, a volume's `zones/us-central1-a/disks/web`: the zone is part of
it, so that one call reads it. What is global has its bare name (snapshots, firewall rules); an image, which may be of
another project, is `projects/debian-cloud/global/images/debian-12-bookworm-v20261112`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

_ZONAL = re.compile(r"zones/([a-z0-9-]{1,63})/(instances|disks)/([a-z]([-a-z0-9]{0,61}[a-z0-9])?)")


class Zonal(NamedTuple):
    """A thing of a zone, as Google addresses it."""

    zone: str
    name: str


def zonal(identifier: str, kind: str) -> Zonal | None:
    """The zone and name in an id of `kind` (`instances`, `disks`), None when it is no such id."""
    found = _ZONAL.fullmatch(identifier)
    return Zonal(found[1], found[3]) if found is not None and found[2] == kind else None


def zonal_id(url: str) -> str:
    """`zones/z/disks/n` of a full address."""
    return "/".join(url.split("/")[-4:])


def last_part(url: str) -> str:
    return url.rpartition("/")[2]


def from_project(url: str) -> str:
    """`projects/p/global/images/n` of a full address, which may begin at any host."""
    _, found, rest = url.partition("projects/")
    return found + rest


def region_of_zone(zone: str) -> str:
    return zone.rpartition("-")[0]


def in_utc(time: str) -> datetime:
    """Google writes times in the zone of its headquarters."""
    return datetime.fromisoformat(time).astimezone(UTC)


def in_utc_or_none(time: str | None) -> datetime | None:
    return in_utc(time) if time else None

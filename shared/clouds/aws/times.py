"""When is that? botocore answers times in the zone of this machine; ours are UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def in_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


def in_utc_or_none(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)

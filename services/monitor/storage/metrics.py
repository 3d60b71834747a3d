"""Samples: day partitions, binary COPY through a temporary table, and the questions asked of them."""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, bindparam, func, literal, select, text

from services.monitor.storage.tables import infrastructure_monitoring
from shared.db.work import Work, rows
from shared.messages.metrics import METRIC_NAMES

Row = tuple[UUID, datetime, UUID, UUID, tuple[float | None, ...], int | None]
"""(resource, time, organization, provider, eight values, health score)"""

_COLUMNS: Final = ("resource_id", "time", "organization_id", "provider_id", *METRIC_NAMES, "health_score")
_TEMPORARY: Final = text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_sample (resource_id uuid, time timestamptz, organization_id uuid, "
    f"provider_id uuid, {', '.join(f'{name} float8' for name in METRIC_NAMES)}, health_score int4) "
    "ON COMMIT DELETE ROWS"
)
_COPY: Final = f"COPY incoming_sample ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_MOVE: Final = text(
    f"INSERT INTO infrastructure_monitoring ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)} "
    "FROM incoming_sample ON CONFLICT (resource_id, time) DO NOTHING"
)

# The binary COPY format (postgresql.org/docs/current/sql-copy.html): a header, then per row the number of fields and
# per field its length in bytes (-1: NULL) and its value, big-endian; times are microseconds since 2000-01-01.
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER: Final = struct.pack("!h", -1)
_KEY: Final = struct.Struct("!h i16s iq i16s i16s")
_FLOAT: Final = struct.Struct("!id")
_SCORE: Final = struct.Struct("!ii")
_NULL: Final = struct.pack("!i", -1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


async def add_samples(work: Work, samples: Iterable[Row]) -> int:
    """Store samples; those whose resource and time are known already change nothing. Returns how many are new."""
    await work.execute(_TEMPORARY)
    raw = await work.connection.get_raw_connection()
    assert raw.driver_connection is not None
    async with raw.driver_connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        await copy.write(encoded(samples))
    return (await work.execute(_MOVE)).rowcount


def encoded(samples: Iterable[Row]) -> bytes:
    """Rows in the binary COPY format."""
    parts = [_HEADER]
    append, key, value_of = parts.append, _KEY.pack, _FLOAT.pack
    fields = len(_COLUMNS)
    for resource_id, time, organization, provider_id, values, score in samples:
        moment = (time - _EPOCH) // _MICROSECOND
        append(
            key(fields, 16, resource_id.bytes, 8, moment, 16, organization.bytes, 16, provider_id.bytes)
            + b"".join([_NULL if value is None else value_of(8, value) for value in values])
            + (_NULL if score is None else _SCORE.pack(4, score))
        )
    append(_TRAILER)
    return b"".join(parts)


async def make_partitions(work: Work, first: date, last: date) -> int:
    """Make the day partitions from `first` to `last` that are not there; returns how many were made."""
    days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
    made = 0
    for day in days:
        made += bool((await work.execute(text("SELECT make_monitoring_partition(:day)"), {"day": day})).scalar())
    return made


async def drop_partitions(work: Work, before: date) -> int:
    """Drop the partitions of days before this one; returns how many."""
    dropped = await work.execute(text("SELECT drop_monitoring_partitions(:before)"), {"before": before})
    return int(dropped.scalar_one())


def _aggregate(name: str, aggregation: str) -> Any:
    column = infrastructure_monitoring.c[name]
    if aggregation in {"p95", "p99"}:
        share = 0.95 if aggregation == "p95" else 0.99
        return func.percentile_cont(share).within_group(column)
    return getattr(func, aggregation)(column)


async def buckets(
    work: Work, resource_id: UUID, start: datetime, end: datetime, interval_s: int, aggregation: str
) -> Sequence[dict[str, Any]]:
    """`time` and each metric of the buckets that hold samples of [start, end), oldest first."""
    table = infrastructure_monitoring
    width: Any = bindparam("width", timedelta(seconds=interval_s))
    bucket = func.date_bin(width, table.c.time, literal(datetime(1970, 1, 1, tzinfo=UTC))).label("time")
    statement = (
        select(bucket, *(_aggregate(name, aggregation).label(name) for name in METRIC_NAMES))
        .where(*_span(work, resource_id, start, end))
        .group_by(text("1"))
        .order_by(text("1"))
    )
    return rows(await work.execute(statement))


async def summary(work: Work, resource_id: UUID, start: datetime, end: datetime) -> dict[str, Any]:
    """`<metric>_avg`, `_max`, `_min`, `_count` over [start, end)."""
    columns = [
        getattr(func, function)(infrastructure_monitoring.c[name]).label(f"{name}_{function}")
        for name in METRIC_NAMES
        for function in ("avg", "max", "min", "count")
    ]
    statement = select(*columns).where(*_span(work, resource_id, start, end))
    return dict((await work.execute(statement)).mappings().one())


def _span(work: Work, resource_id: UUID, start: datetime, end: datetime) -> tuple[Any, ...]:
    table = infrastructure_monitoring.c
    return (
        table.organization_id == work.organization,
        table.resource_id == resource_id,
        table.time >= start,
        table.time < end,
    )


async def samples_since(work: Work, since: datetime) -> int:
    """How many samples the organization has since then."""
    table = infrastructure_monitoring.c
    statement = select(func.count().cast(Integer)).where(
        table.organization_id == work.organization, table.time >= since
    )
    return int((await work.execute(statement)).scalar_one())


async def mean_response_ms(work: Work, since: datetime, provider_ids: Sequence[UUID] | None) -> float | None:
    """Mean response time of the organization since then, None when none was measured."""
    table = infrastructure_monitoring.c
    conditions = [table.organization_id == work.organization, table.time >= since]
    if provider_ids is not None:
        conditions.append(table.provider_id.in_(provider_ids))
    found = (await work.execute(select(func.avg(table.response_time_ms)).where(*conditions))).scalar()
    return None if found is None else float(found)

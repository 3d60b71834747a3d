"""Daily roll-ups: what remains of samples when their partitions are dropped."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from services.monitor.domain.metrics import midnight_of
from services.monitor.storage.tables import infrastructure_monitoring_daily as daily
from services.monitor.storage.tables import rolled_up_day, telemetry
from shared.db.work import Work, rows
from shared.messages.metrics import METRIC_NAMES

FUNCTIONS = ("min", "avg", "max", "count")
_FIGURES = [f"{name}_{function}" for name in METRIC_NAMES for function in FUNCTIONS]
_VALUES = ", ".join(f"{function}({name})" for name in METRIC_NAMES for function in FUNCTIONS)
_ROLL_UP = text(
    "INSERT INTO infrastructure_monitoring_daily "
    f"(resource_id, day, organization_id, provider_id, {', '.join(_FIGURES)}) "
    f"SELECT resource_id, :day, organization_id, provider_id, {_VALUES} FROM infrastructure_monitoring "
    "WHERE resource_id = ANY(:resources) AND time >= :start AND time < :end "
    "GROUP BY resource_id, organization_id, provider_id "
    f"ON CONFLICT (resource_id, day) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _FIGURES)}"
)
_PARTITIONS = text(
    "SELECT to_date(right(child.relname, 8), 'YYYYMMDD') AS day FROM pg_inherits "
    "JOIN pg_class AS child ON child.oid = inhrelid "
    "WHERE inhparent = 'infrastructure_monitoring'::regclass ORDER BY day"
)


async def unrolled_days(work: Work, last: date) -> list[date]:
    """The days up to `last` that have a partition and no complete roll-up, oldest first."""
    done = set((await work.execute(select(rolled_up_day.c.day))).scalars())
    return [day for day in (await work.execute(_PARTITIONS)).scalars() if day <= last and day not in done]


async def resources_after(work: Work, after: UUID | None, limit: int) -> list[UUID]:
    """Resources of which anything was ever measured, in the order of their ids; in background work."""
    statement = select(telemetry.c.resource_id).order_by(telemetry.c.resource_id).limit(limit)
    if after is not None:
        statement = statement.where(telemetry.c.resource_id > after)
    return list((await work.execute(statement)).scalars())


async def roll_up(work: Work, day: date, resource_ids: Sequence[UUID]) -> None:
    """Minimum, mean, maximum and number of each metric of these resources on a day (UTC); again it says the same."""
    span = {"start": midnight_of(day), "end": midnight_of(day) + timedelta(days=1)}
    await work.execute(_ROLL_UP, {"day": day, "resources": list(resource_ids), **span})


async def complete(work: Work, day: date) -> None:
    """Every resource's roll-up of the day is there."""
    statement = insert(rolled_up_day).values(day=day, completed_at=work.now)
    await work.execute(statement.on_conflict_do_nothing())


async def days_of(work: Work, resource_id: UUID, first: date, last: date) -> Sequence[dict[str, Any]]:
    """`day` and `<metric>_min`, `_avg`, `_max`, `_count` from the first day to the last, oldest first."""
    statement = (
        select(daily)
        .where(
            daily.c.organization_id == work.organization,
            daily.c.resource_id == resource_id,
            daily.c.day.between(first, last),
        )
        .order_by(daily.c.day)
    )
    return rows(await work.execute(statement))


async def forget(work: Work, before: date, limit: int) -> int:
    """Delete up to `limit` roll-ups of days before this one; returns how many."""
    old = select(daily.c.resource_id, daily.c.day).where(daily.c.day < before).limit(limit).subquery()
    statement = delete(daily).where(daily.c.resource_id == old.c.resource_id, daily.c.day == old.c.day)
    return (await work.execute(statement)).rowcount

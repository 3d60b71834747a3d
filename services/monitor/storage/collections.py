"""Collection: which accounts and regions are due, what was asked of them until when, and how often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.monitor.storage.tables import cloud_calls, collected, collection
from shared.db.inventory import REMOVED, known_provider, known_resource
from shared.db.work import Work, rows
from shared.messages.metrics import CollectionState, ProviderCalls


@dataclass(frozen=True, slots=True)
class Place:
    """One account in one region."""

    organization_id: UUID
    provider_id: UUID
    region: str


def _measurable() -> Any:
    """Machines that run: what clouds measure, and all that the metrics port asks for."""
    return and_(
        known_resource.c.resource_type == "compute",
        known_resource.c.resource_status == "running",
        known_resource.c.resource_id.is_not(None),
    )


async def queue_due(work: Work, lease_s: float) -> list[Place]:
    """Mark and return the places with running resources where no collection is under way; in background work."""
    places = (
        select(known_resource.c.provider_id, known_resource.c.region, known_resource.c.organization_id)
        .join(known_provider, known_provider.c.id == known_resource.c.provider_id)
        .where(_measurable(), known_provider.c.status == "active")
        .distinct()
    )
    columns = ["provider_id", "region", "organization_id"]
    await work.execute(insert(collection).from_select(columns, places).on_conflict_do_nothing())
    free = or_(collection.c.queued_at.is_(None), collection.c.queued_at < work.now - timedelta(seconds=lease_s))
    active = places.subquery()
    found = await work.execute(
        update(collection)
        .where(free, collection.c.provider_id == active.c.provider_id, collection.c.region == active.c.region)
        .values(queued_at=work.now)
        .returning(collection.c.organization_id, collection.c.provider_id, collection.c.region)
    )
    return [Place(row.organization_id, row.provider_id, row.region) for row in found]


async def resources_of(work: Work, provider_id: UUID, region: str) -> Sequence[dict[str, Any]]:
    """The running resources of a place, with `configuration`, `asked_until` and `tried_until` (null before)."""
    known = known_resource.c
    statement = (
        select(
            known.id,
            known.resource_id,
            known.created_at,
            known.configuration,
            collected.c.asked_until,
            collected.c.tried_until,
        )
        .select_from(known_resource.outerjoin(collected, collected.c.resource_id == known_resource.c.id))
        .where(
            known_resource.c.organization_id == work.organization,
            known_resource.c.provider_id == provider_id,
            known_resource.c.region == region,
            _measurable(),
        )
        .order_by(known_resource.c.id)
    )
    return rows(await work.execute(statement))


async def find_provider(work: Work, provider_id: UUID) -> dict[str, Any] | None:
    """What is known of one of the organization's providers that was not removed."""
    statement = select(known_provider).where(
        known_provider.c.id == provider_id,
        known_provider.c.organization_id == work.organization,
        known_provider.c.status != REMOVED,
    )
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


async def begin(work: Work, provider_id: UUID, region: str) -> None:
    await work.execute(_update(work, provider_id, region, started_at=work.now))


async def end(work: Work, provider_id: UUID, region: str, error: str | None) -> None:
    """A collection ended; `error` None: it worked."""
    values: dict[str, Any] = {"queued_at": None, "error": error}
    if error is None:
        values["succeeded_at"] = work.now
    await work.execute(_update(work, provider_id, region, **values))


def _update(work: Work, provider_id: UUID, region: str, **values: Any) -> Any:
    return (
        update(collection)
        .where(
            collection.c.organization_id == work.organization,
            collection.c.provider_id == provider_id,
            collection.c.region == region,
        )
        .values(**values)
    )


async def asked(work: Work, answers: Iterable[tuple[UUID, datetime, bool]]) -> None:
    """(resource, time, complete): every point that begins before the time was asked for, and answered if complete."""
    values = [
        {
            "resource_id": resource_id, "organization_id": work.organization, "tried_until": until,
            "asked_until": until if is_complete else None,
        }
        for resource_id, until, is_complete in answers
    ]  # fmt: skip
    if not values:
        return
    statement = insert(collected).values(values)
    # GREATEST passes over nulls (postgresql.org/docs/current/functions-conditional.html).
    later = {
        name: func.greatest(collected.c[name], statement.excluded[name]) for name in ("asked_until", "tried_until")
    }
    await work.execute(statement.on_conflict_do_update(index_elements=[collected.c.resource_id], set_=later))


async def count_calls(work: Work, provider: dict[str, Any], operation: str, api_calls: int, requested: int) -> None:
    """Add to the day's count of a provider account."""
    statement = insert(cloud_calls).values(
        day=work.now.date(), provider_id=provider["id"], operation=operation, organization_id=work.organization,
        provider_name=provider["provider_name"], api_calls=api_calls, metrics_requested=requested,
    )  # fmt: skip
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=[cloud_calls.c.day, cloud_calls.c.provider_id, cloud_calls.c.operation],
            set_={
                "api_calls": cloud_calls.c.api_calls + api_calls,
                "metrics_requested": cloud_calls.c.metrics_requested + requested,
            },
        )
    )


async def calls_since(work: Work, since: date) -> list[ProviderCalls]:
    """Newest day first."""
    statement = (
        select(cloud_calls)
        .where(cloud_calls.c.organization_id == work.organization, cloud_calls.c.day >= since)
        .order_by(cloud_calls.c.day.desc(), cloud_calls.c.provider_id)
    )
    return [ProviderCalls.model_validate(row) for row in rows(await work.execute(statement))]


async def states(work: Work) -> list[CollectionState]:
    statement = (
        select(collection)
        .where(collection.c.organization_id == work.organization)
        .order_by(collection.c.provider_id, collection.c.region)
    )
    return [
        CollectionState(
            provider_id=row["provider_id"],
            region=row["region"],
            last_started_at=row["started_at"],
            last_succeeded_at=row["succeeded_at"],
            error=row["error"],
        )
        for row in rows(await work.execute(statement))
    ]


async def monitored(work: Work) -> int:
    """How many running resources the organization has."""
    statement = (
        select(func.count())
        .select_from(known_resource)
        .where(known_resource.c.organization_id == work.organization, _measurable())
    )
    return int((await work.execute(statement)).scalar_one())

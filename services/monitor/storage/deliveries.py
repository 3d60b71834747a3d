"""Deliveries: one per event and channel, and one row per attempt, written before the post."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.monitor.domain.deliveries import Result, Verdict
from services.monitor.storage.tables import delivery, delivery_attempt
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.kit.ids import new_id
from shared.messages.deliveries import Attempt, Delivery, ListDeliveries
from shared.messages.notifications import DeliverNotification

ORDER = Keyset(delivery.c.id, {"created_at": delivery.c.created_at}, "-created_at")

FINISHED = ("sent", "failed")


def delivery_of(row: Mapping[str, Any], attempts: Sequence[Attempt] = ()) -> Delivery:
    """A row as anybody may see it."""
    return Delivery.model_validate({**row, "attempts": list(attempts)})


async def add(
    work: Work, event_id: UUID, channel_id: UUID, kind: str, content: dict[str, Any], alert_id: UUID | None
) -> dict[str, Any] | None:
    """A delivery and its command, once per event and channel; None when it is there already."""
    statement = (
        insert(delivery)
        .values(
            id=new_id(), organization_id=work.organization, event_id=event_id, channel_id=channel_id,
            alert_id=alert_id, kind=kind, content=content, status="pending", attempt=0, possible_repeat=False,
            created_at=work.now, version=1,
        )
        .on_conflict_do_nothing(index_elements=[delivery.c.event_id, delivery.c.channel_id])
        .returning(delivery)
    )  # fmt: skip
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        return None
    work.emit(DeliverNotification(**work.about(row["id"], row["version"])))
    return dict(row)


async def lock(work: Work, delivery_id: UUID) -> dict[str, Any]:
    """All columns, for change. Raises NotFound, also when it is old enough to be forgotten."""
    statement = select(delivery).where(delivery.c.id == delivery_id, delivery.c.organization_id == work.organization)
    row = (await work.execute(statement.with_for_update())).mappings().first()
    if row is None:
        raise NotFound("there is no such delivery", code="delivery_not_found")
    return dict(row)


async def begin(work: Work, row: dict[str, Any], lease_s: float, *, possible_repeat: bool) -> dict[str, Any]:
    """`sending`, with the attempt's number: committed before anything leaves."""
    values = {
        "status": "sending", "attempt": row["attempt"] + 1, "possible_repeat": possible_repeat,
        "lease_until": work.now + timedelta(seconds=lease_s), "next_attempt_at": None, "version": row["version"] + 1,
    }  # fmt: skip
    await work.execute(_update(work, row["id"]).values(**values))
    begun = {**row, **values}
    await work.execute(
        insert(delivery_attempt).values(
            delivery_id=row["id"], attempt=begun["attempt"], organization_id=work.organization, started_at=work.now
        )
    )
    return begun


async def end(work: Work, row: dict[str, Any], result: Result, verdict: Verdict) -> dict[str, Any] | None:
    """What came of an attempt; None when the delivery has a later attempt already."""
    found = await work.execute(
        _update(work, row["id"])
        .where(delivery.c.attempt == row["attempt"], delivery.c.status == "sending")
        .values(
            status=verdict.status, next_attempt_at=verdict.next_attempt_at, lease_until=None,
            last_error=None if result.is_sent else result.detail, response_status=result.status,
            sent_at=work.now if result.is_sent else None, version=delivery.c.version + 1,
        )
        .returning(delivery)
    )  # fmt: skip
    ended = found.mappings().first()
    await work.execute(
        update(delivery_attempt)
        .where(
            delivery_attempt.c.delivery_id == row["id"],
            delivery_attempt.c.attempt == row["attempt"],
            delivery_attempt.c.organization_id == work.organization,
        )
        .values(
            finished_at=work.now, outcome=verdict.status, response_status=result.status, error=result.detail or None
        )
    )
    return None if ended is None else dict(ended)


def _update(work: Work, delivery_id: UUID) -> Any:
    return update(delivery).where(delivery.c.id == delivery_id, delivery.c.organization_id == work.organization)


async def page(work: Work, request: ListDeliveries) -> tuple[list[Delivery], str | None]:
    """One page with the attempts, and the cursor of the next."""
    statement = select(delivery).where(
        delivery.c.organization_id == work.organization, delivery.c.channel_id == request.channel
    )
    if request.status is not None:
        statement = statement.where(delivery.c.status == request.status)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    attempts = await _attempts_of(work, [row["id"] for row in found])
    return [delivery_of(row, attempts.get(row["id"], ())) for row in found], cursor


async def _attempts_of(work: Work, delivery_ids: Sequence[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts of these deliveries, in their order."""
    statement = (
        select(delivery_attempt)
        .where(
            delivery_attempt.c.organization_id == work.organization, delivery_attempt.c.delivery_id.in_(delivery_ids)
        )
        .order_by(delivery_attempt.c.attempt)
    )
    found: dict[UUID, list[Attempt]] = {}
    for row in rows(await work.execute(statement)):
        found.setdefault(row["delivery_id"], []).append(Attempt.model_validate(row))
    return found


async def left_behind(work: Work, after_s: float) -> Sequence[dict[str, Any]]:
    """Unfinished deliveries that nobody has touched for so long; in background work."""
    late = work.now - timedelta(seconds=after_s)
    statement = select(delivery.c.id, delivery.c.organization_id, delivery.c.version).where(
        delivery.c.status.not_in(FINISHED),
        delivery.c.created_at < late,
        or_(delivery.c.next_attempt_at.is_(None), delivery.c.next_attempt_at < late),
        or_(delivery.c.lease_until.is_(None), delivery.c.lease_until < late),
    )
    return rows(await work.execute(statement.limit(500)))


async def forget_finished(work: Work, before: datetime, limit: int) -> int:
    """Delete up to `limit` finished deliveries made before this time, and their attempts; returns how many."""
    old = select(delivery.c.id).where(delivery.c.status.in_(FINISHED), delivery.c.created_at < before).limit(limit)
    gone = list((await work.execute(delete(delivery).where(delivery.c.id.in_(old)).returning(delivery.c.id))).scalars())
    await work.execute(delete(delivery_attempt).where(delivery_attempt.c.delivery_id.in_(gone)))
    return len(gone)

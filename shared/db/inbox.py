"""Has this message been applied before? One row per message and consumer, written with the message's effects."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from shared.db.tables import inbox
from shared.db.work import Work

KEPT = timedelta(days=8)
"""Longer than the EVENTS stream holds a message (7 days): what can still come again is remembered."""


async def first_seen(work: Work, message_ids: Iterable[UUID], consumer: str) -> set[UUID]:
    """Record the messages; return those that this consumer had not applied before."""
    values = [{"message_id": message_id, "consumer": consumer} for message_id in message_ids]
    if not values:
        return set()
    statement = insert(inbox).values(values).on_conflict_do_nothing().returning(inbox.c.message_id)
    return {row.message_id for row in await work.execute(statement)}


async def forget_old(work: Work) -> int:
    """Delete rows that no redelivery can match any more; returns how many."""
    return (await work.execute(delete(inbox).where(inbox.c.received_at < work.now - KEPT))).rowcount

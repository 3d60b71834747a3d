"""Has this message been applied before? One row per message and consumer, written with the message's effects."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, text

from shared.db.tables import inbox
from shared.db.work import Work

KEPT = timedelta(days=8)
"""Longer than the EVENTS stream holds a message (7 days): what can still come again is remembered."""


_RECORD = text(
    "INSERT INTO inbox (message_id, consumer) SELECT unnest(CAST(:message_ids AS uuid[])), :consumer "
    "ON CONFLICT DO NOTHING RETURNING message_id"
)
"""One parameter for any number of messages: a list of rows was compiled again for each length (profiled)."""


async def first_seen(work: Work, message_ids: Iterable[UUID], consumer: str) -> set[UUID]:
    """Record the messages; return those that this consumer had not applied before."""
    given = list(message_ids)
    if not given:
        return set()
    return {row.message_id for row in await work.execute(_RECORD, {"message_ids": given, "consumer": consumer})}


async def forget_old(work: Work) -> int:
    """Delete rows that no redelivery can match any more; returns how many."""
    return (await work.execute(delete(inbox).where(inbox.c.received_at < work.now - KEPT))).rowcount

"""Has this mutation been accepted before? The owner's memory of idempotency keys (kept 24 h)."""

import hashlib
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import bindparam, delete, select, text

from shared.db.tables import idempotency, overwrite
from shared.db.work import Work
from shared.kit.errors import Conflict, InvalidInput
from shared.messages.base import Mutation

KEPT = timedelta(hours=24)

_ENVELOPE = {"id", "time", "correlation_id", "causation_id", "type", "idempotency_key", "role"}

_KNOWN = select(idempotency).where(*(column == bindparam(column.name) for column in idempotency.primary_key.columns))
_REMEMBER = overwrite(idempotency)

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


class Replayed(Exception):
    """This key was accepted before, with this body: `reply` is the first answer."""

    def __init__(self, reply: bytes) -> None:
        super().__init__("repeat of an accepted mutation")
        self.reply = reply


def body_hash(request: Mutation) -> str:
    """SHA-256 of what the client sent: the payload without envelope and key."""
    body = request.model_dump_json(exclude=_ENVELOPE)
    return hashlib.sha256(body.encode()).hexdigest()


class Acceptance:
    """The work of one mutation, under the lock of its key."""

    def __init__(self, work: Work, request: Mutation) -> None:
        self.work = work
        self.request = request
        self._reply: bytes | None = None

    async def claim(self) -> None:
        """Raise Replayed, Conflict or InvalidInput when the key is taken; else hold its lock until the commit."""
        request = self.request
        name = f"{request.organization}|{request.actor}|{request.route}|{request.idempotency_key}"
        if not (await self.work.execute(_TRY_LOCK, {"name": name})).scalar():
            raise Conflict("the same idempotency key is being processed", code="in_flight", retry_after_s=1)
        row = (await self.work.execute(_KNOWN, self._key())).mappings().first()
        if row is None or row["created_at"] < self.work.now - KEPT:
            return
        if row["body_hash"] != body_hash(request):
            raise InvalidInput("the idempotency key was used with another body", code="idempotency_key_reused")
        if row["reply"] is None:
            raise Conflict("already created; the secret is shown once", code="already_created")
        raise Replayed(bytes(row["reply"]))

    def answer(self, reply: BaseModel, *, secret: bool = False) -> None:
        """Store the reply for repeats; of a secret reply only that there was one."""
        self._reply = None if secret else reply.model_dump_json().encode()

    async def remember(self) -> None:
        outcome = {"body_hash": body_hash(self.request), "reply": self._reply, "created_at": self.work.now}
        await self.work.execute(_REMEMBER, self._key() | outcome)

    def _key(self) -> dict[str, Any]:
        return {
            "organization_id": self.work.organization,
            "principal": self.request.actor,
            "route": self.request.route,
            "key": self.request.idempotency_key,
        }


async def forget_old_keys(work: Work) -> int:
    """Delete keys that no longer count; returns how many."""
    return (await work.execute(delete(idempotency).where(idempotency.c.created_at < work.now - KEPT))).rowcount

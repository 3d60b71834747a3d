"""Has this mutation been accepted before? The owner's memory of idempotency keys (kept 24 h)."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
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

_SLOW_HASHES = ThreadPoolExecutor(max_workers=2, thread_name_prefix="body-hash")
"""Few, so that a burst of secrets waits instead of filling the memory."""

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


class Replayed(Exception):
    """This key was accepted before, with this body: `reply` is the first answer."""

    def __init__(self, reply: bytes) -> None:
        super().__init__("repeat of an accepted mutation")
        self.reply = reply


async def body_hash(request: Mutation) -> str:
    """What tells one body from another: a hash of the payload without envelope and key, 64 hexadecimal characters.

    SHA-256; of a body that holds a secret (a field with `repr=False`) scrypt, salted with the key's own name. Else who
    steals the table could try a billion passwords a second here, whatever their own hash costs.
    """
    body = request.model_dump_json(exclude=_ENVELOPE).encode()
    if not _holds_secret(request):
        return hashlib.sha256(body).hexdigest()
    return await asyncio.get_running_loop().run_in_executor(_SLOW_HASHES, _slow_hash, body, _name_of(request).encode())


def _holds_secret(request: Mutation) -> bool:
    fields = type(request).model_fields
    return any(getattr(request, name) is not None for name, field in fields.items() if not field.repr)


def _slow_hash(body: bytes, salt: bytes) -> str:
    """16 MiB and about 30 ms each (RFC 7914)."""
    return hashlib.scrypt(body, salt=salt, n=2**14, r=8, p=1, dklen=32).hex()


def _name_of(request: Mutation) -> str:
    return f"{request.organization}|{request.actor}|{request.route}|{request.idempotency_key}"


class Acceptance:
    """The work of one mutation, under the lock of its key."""

    def __init__(self, work: Work, request: Mutation) -> None:
        self.work = work
        self.request = request
        self._reply: bytes | None = None

    async def claim(self) -> None:
        """Raise Replayed, Conflict or InvalidInput when the key is taken; else hold its lock until the commit."""
        request = self.request
        if not (await self.work.execute(_TRY_LOCK, {"name": _name_of(request)})).scalar():
            raise Conflict("the same idempotency key is being processed", code="in_flight", retry_after_s=1)
        row = (await self.work.execute(_KNOWN, self._key())).mappings().first()
        if row is None or row["created_at"] < self.work.now - KEPT:
            return
        if row["body_hash"] != await body_hash(request):
            raise InvalidInput("the idempotency key was used with another body", code="idempotency_key_reused")
        if row["reply"] is None:
            raise Conflict("already created; the secret is shown once", code="already_created")
        raise Replayed(bytes(row["reply"]))

    def answer(self, reply: BaseModel, *, secret: bool = False) -> None:
        """Store the reply for repeats; of a secret reply only that there was one."""
        self._reply = None if secret else reply.model_dump_json().encode()

    async def remember(self) -> None:
        outcome = {"body_hash": await body_hash(self.request), "reply": self._reply, "created_at": self.work.now}
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

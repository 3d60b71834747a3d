"""Has this mutation been accepted before? The owner's memory of idempotency keys (kept 24 h)."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow
from pydantic import BaseModel
from sqlalchemy import delete

from shared.db.exchange import Step
from shared.db.tables import idempotency
from shared.db.work import Work
from shared.kit.errors import Conflict, InvalidInput
from shared.messages.base import Mutation

KEPT = timedelta(hours=24)

_ENVELOPE = {"id", "time", "correlation_id", "causation_id", "type", "idempotency_key", "role"}

_KNOWN = """
SELECT body_hash, reply, created_at FROM idempotency
 WHERE organization_id = %(organization_id)s AND principal = %(principal)s AND route = %(route)s AND key = %(key)s
"""
_REMEMBER = """
INSERT INTO idempotency (organization_id, principal, route, key, body_hash, reply, created_at)
VALUES (%(organization_id)s, %(principal)s, %(route)s, %(key)s, %(body_hash)s, %(reply)s, %(created_at)s)
    ON CONFLICT (organization_id, principal, route, key)
    DO UPDATE SET body_hash = excluded.body_hash, reply = excluded.reply, created_at = excluded.created_at
"""

_SLOW_HASHES = ThreadPoolExecutor(max_workers=2, thread_name_prefix="body-hash")
"""Few, so that a burst of secrets waits instead of filling the memory."""

_TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0))"


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

    async def claim(self, lock: TupleRow | None, known: TupleRow | None) -> None:
        """Raise Replayed, Conflict or InvalidInput when the key is taken; else its lock is held until the commit.

        `lock` and `known` are the answers to `questions`.
        """
        if lock is None or lock[0] is not True:
            raise Conflict("the same idempotency key is being processed", code="in_flight", retry_after_s=1)
        if known is None:
            return
        its_hash, reply, created_at = known
        if created_at < self.work.now - KEPT:
            return
        if its_hash != await body_hash(self.request):
            raise InvalidInput("the idempotency key was used with another body", code="idempotency_key_reused")
        if reply is None:
            raise Conflict("already created; the secret is shown once", code="already_created")
        raise Replayed(reply)

    def answer(self, reply: BaseModel, *, secret: bool = False) -> None:
        """Store the reply for repeats; of a secret reply only that there was one."""
        self._reply = None if secret else reply.model_dump_json().encode()

    async def remember(self) -> None:
        outcome = {"body_hash": await body_hash(self.request), "reply": self._reply, "created_at": self.work.now}
        self.work.defer(Step(_REMEMBER, _key_of(self.request, self.work.organization) | outcome))


def questions(request: Mutation, organization: UUID) -> tuple[Step, Step]:
    """To be asked in this order: who has the lock then sees what its last holder committed."""
    return Step(_TRY_LOCK, {"name": _name_of(request)}), Step(_KNOWN, _key_of(request, organization))


def _key_of(request: Mutation, organization: UUID) -> dict[str, Any]:
    return {
        "organization_id": organization,
        "principal": request.actor,
        "route": request.route,
        "key": request.idempotency_key,
    }


async def forget_old_keys(work: Work) -> int:
    """Delete keys that no longer count; returns how many."""
    return (await work.execute(delete(idempotency).where(idempotency.c.created_at < work.now - KEPT))).rowcount

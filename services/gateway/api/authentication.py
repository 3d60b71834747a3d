"""Who sends this request? An API key or an access token, looked up once and then remembered for a few seconds.

A revocation is heard as an event by every replica at once (`forget`); where that event is lost, the memory ends by
itself after `authentication_cache_s`. So a revoked key or token dies everywhere within that time.
"""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import monotonic
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from services.gateway.api.addresses import address_of
from services.gateway.api.rate_limits import RateLimits
from services.gateway.deps import Deps
from services.gateway.domain import api_keys, tickets
from services.gateway.domain.opaque_tokens import TokenKind
from services.gateway.storage import tickets as stored_tickets
from services.gateway.storage.principals import (
    find_api_key,
    find_api_key_by_prefix,
    find_signed_in_user,
    matrix_of,
    note_api_keys_used,
)
from shared.kit.errors import Unauthenticated
from shared.messages.context import Context
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import DEFAULT_MATRIX

REMEMBERED = 10_000
"""Entries before a memory starts anew: bounded whatever is presented."""
USES_STORED_EVERY_S = 15.0
LONGEST_TOKEN = 4096

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a presented secret turned out to be, until when (monotonic seconds)."""

    outcome: Principal | Unauthenticated
    until_s: float

    def principal(self) -> Principal:
        """Raises Unauthenticated, as an error of its own each time: one that is raised twice keeps both traces."""
        if isinstance(self.outcome, Unauthenticated):
            raise Unauthenticated(self.outcome.detail, code=self.outcome.code)
        return self.outcome


class Authentication:
    """Turns the credentials of a connection into a principal. What is refused counts against its address."""

    def __init__(self, deps: Deps, rate_limits: RateLimits) -> None:
        self._deps = deps
        self._rate_limits = rate_limits
        self._known: dict[bytes, _Found] = {}
        self._refused: dict[bytes, _Found] = {}
        self._looking: dict[bytes, asyncio.Task[_Found]] = {}
        self._forgotten = 0
        self._used: dict[UUID, datetime] = {}

    async def principal_of(self, connection: HTTPConnection) -> Principal:
        """Read `X-API-Key` or `Authorization: Bearer`. Raises Unauthenticated, TooManyRequests.

        A bearer token that is an API key is taken too, since many clients can send nothing else.
        """
        return await self.authenticate(_presented(connection), address_of(connection))

    async def authenticate(self, presented: str, address: str) -> Principal:
        """The principal of a key or an access token.

        Raises Unauthenticated (`invalid_token` or `token_expired`), and TooManyRequests when the address has presented
        too many that were refused; what was genuine here lately still passes.
        """
        digest = hashlib.sha256(presented.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known is not None and monotonic() < known.until_s:
            principal = known.principal()
        else:
            with self._rate_limits.refusals(address, trusted=known is not None):
                principal = (self._recently_refused(digest) or await self._look_up_once(digest, presented)).principal()
        now = self._deps.clock.now()
        if principal.expired(now):
            raise Unauthenticated("the token has expired", code="token_expired")
        if principal.kind is PrincipalKind.API_KEY:
            self._used[principal.id] = now
        return principal

    async def redeem(self, presented: str, address: str) -> Principal:
        """Who a ticket was made for, with what they may do now. Raises Unauthenticated, TooManyRequests."""
        with self._rate_limits.refusals(address):
            token = tickets.parse_ticket(presented)
            async with self._deps.database.work(Context.background()) as work:
                ticket = await stored_tickets.redeem(work, token, self._deps.keys.tickets)
                if ticket.token is not None:
                    user = await find_signed_in_user(work, ticket.token, ticket.principal)
                    if user is None:
                        raise tickets.refused()
                    return user.principal(await matrix_of(work, user.organization), ticket.token_expires_at)
                key = await find_api_key(work, ticket.principal)
                if key is None:
                    raise tickets.refused()
                return api_keys.principal_of(key, await matrix_of(work, key.organization), work.now)

    def forget(self, organization: UUID) -> None:
        """Somebody's key, role or standing changed there: look again."""
        self._known = {
            digest: replace(known, until_s=0.0)
            if isinstance(known.outcome, Principal) and known.outcome.organization == organization
            else known
            for digest, known in self._known.items()
        }
        self._forgotten += 1
        self._looking = {}  # they may have read what was before: who waits for them looks anew

    async def store_uses(self) -> None:
        """Write down when keys were last used, all of them each few seconds; runs until cancelled."""
        while True:
            await asyncio.sleep(USES_STORED_EVERY_S)
            used, self._used = self._used, {}
            if not used:
                continue
            try:
                async with self._deps.database.work(Context.background()) as work:
                    await note_api_keys_used(work, used)
            except Exception as error:  # noqa: BLE001 - a lost "last used" is not worth a dead gateway
                log.warning("last use of keys not stored", error=type(error).__name__)

    def _recently_refused(self, digest: bytes) -> _Found | None:
        refused = self._refused.get(digest)
        return refused if refused is not None and monotonic() < refused.until_s else None

    async def _look_up_once(self, digest: bytes, presented: str) -> _Found:
        """A burst with one key that is not remembered is one look; who leaves it does not end it for the others.

        A look during which `forget` came does not count: a socket that it opened would outlive the revocation.
        """
        while True:
            forgotten = self._forgotten
            looking = self._looking.get(digest)
            if looking is None:
                looking = self._looking[digest] = asyncio.create_task(self._look_up(presented))
                looking.add_done_callback(partial(self._looked, digest))
            found = await asyncio.shield(looking)
            if forgotten == self._forgotten:
                return found

    def _looked(self, digest: bytes, ended: asyncio.Task[_Found]) -> None:
        """Remember what was found, unless `forget` came in between."""
        if self._looking.get(digest) is not ended:
            return
        del self._looking[digest]
        if not ended.cancelled() and ended.exception() is None:
            self._remember(digest, ended.result())

    def _remember(self, digest: bytes, found: _Found) -> None:
        """Refusals apart: whoever presents thousands of wrong keys takes nobody's place."""
        refused = isinstance(found.outcome, Unauthenticated)
        if refused:
            self._known.pop(digest, None)
        memory = self._refused if refused else self._known
        if len(memory) >= REMEMBERED:
            memory.clear()
        memory[digest] = found

    async def _look_up(self, presented: str) -> _Found:
        # Read before the look: a revocation that commits meanwhile is then at most the memory's time away.
        until_s = monotonic() + self._deps.settings.authentication_cache_s
        try:
            if presented.startswith(f"{TokenKind.API_KEY}_"):
                return _Found(await self._api_key(presented), until_s)
            return _Found(await self._access_token(presented), until_s)
        except Unauthenticated as error:
            return _Found(error, until_s)

    async def _api_key(self, presented: str) -> Principal:
        token = api_keys.parse_api_key(presented)
        async with self._deps.database.work(Context.background()) as work:
            stored = await find_api_key_by_prefix(work, token.prefix)
            matrix = await matrix_of(work, stored.organization) if stored else DEFAULT_MATRIX
        return api_keys.authenticate(token, stored, self._deps.keys.api_keys, matrix, self._deps.clock.now())

    async def _access_token(self, presented: str) -> Principal:
        """A genuine token counts as long as its sign-in does; role and name are today's, not those of its making."""
        claims = self._deps.access_tokens.verify(presented, self._deps.clock.now())
        async with self._deps.database.work(Context.background()) as work:
            user = await find_signed_in_user(work, claims.token, claims.user)
            if user is None or user.organization != claims.organization:
                raise Unauthenticated("the token has been revoked", code="invalid_token")
            matrix = await matrix_of(work, claims.organization)
        return user.principal(matrix, claims.expires_at)


def _presented(connection: HTTPConnection) -> str:
    headers = connection.headers
    presented = headers.get("x-api-key")
    if presented is None:
        scheme, _, presented = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented:
            raise Unauthenticated("send X-API-Key or Authorization: Bearer")
    if len(presented) > LONGEST_TOKEN:
        raise Unauthenticated("the token is not valid", code="invalid_token")
    return presented.strip()

"""Who sends this request? An API key or an access token, looked up once and then remembered for a few seconds.

A revocation is heard as an event by every replica at once (`forget`); where that event is lost, the memory ends by
itself after `authentication_cache_s`. So a revoked key or token dies everywhere within that time.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from services.gateway.deps import Deps
from services.gateway.domain import api_keys
from services.gateway.domain.opaque_tokens import TokenKind
from services.gateway.storage.principals import api_key_of, matrix_of, note_api_keys_used, user_of_token
from shared.kit.errors import Unauthenticated
from shared.messages.context import Context
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import DEFAULT_MATRIX, Role

REMEMBERED = 10_000
"""Entries before the memory starts anew: bounded whatever is presented."""
USES_STORED_EVERY_S = 15.0
LONGEST_TOKEN = 4096

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a presented secret turned out to be, until when (monotonic seconds)."""

    outcome: Principal | Unauthenticated
    until_s: float


class Authentication:
    """Turns the credentials of a connection into a principal."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._known: dict[bytes, _Known] = {}
        self._refused: dict[bytes, _Known] = {}
        self._looking: dict[bytes, asyncio.Task[_Known]] = {}
        self._used: dict[UUID, datetime] = {}

    async def principal_of(self, connection: HTTPConnection) -> Principal:
        """Read `X-API-Key` or `Authorization: Bearer`. Raises Unauthenticated.

        A bearer token that is an API key is taken too, since many clients can send nothing else.
        """
        presented = _presented(connection)
        return await self.authenticate(presented)

    async def authenticate(self, presented: str) -> Principal:
        """The principal of a key or an access token. Raises Unauthenticated: `invalid_token` or `token_expired`."""
        digest = hashlib.sha256(presented.encode("utf-8", "surrogateescape")).digest()
        known = self._remembered(digest) or await self._look_up_once(digest, presented)
        now = self._deps.clock.now()
        if isinstance(known.outcome, Unauthenticated):
            raise Unauthenticated(known.outcome.detail, code=known.outcome.code)
        if known.outcome.expired(now):
            raise Unauthenticated("the token has expired", code="token_expired")
        if known.outcome.kind is PrincipalKind.API_KEY:
            self._used[known.outcome.id] = now
        return known.outcome

    def forget(self, organization: UUID) -> None:
        """Somebody's key, role or standing changed there: look again."""
        self._known = {
            digest: known
            for digest, known in self._known.items()
            if isinstance(known.outcome, Unauthenticated) or known.outcome.organization != organization
        }
        self._looking = {}  # they may have read what was before: whoever asks from now on looks anew

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

    def _remembered(self, digest: bytes) -> _Known | None:
        known = self._known.get(digest) or self._refused.get(digest)
        return known if known is not None and monotonic() < known.until_s else None

    async def _look_up_once(self, digest: bytes, presented: str) -> _Known:
        """A burst with one key that is not remembered is one look; who leaves it does not end it for the others."""
        looking = self._looking.get(digest)
        if looking is None:
            looking = self._looking[digest] = asyncio.create_task(self._look_up(presented))
            looking.add_done_callback(lambda ended: self._looked(digest, ended))
        return await asyncio.shield(looking)

    def _looked(self, digest: bytes, ended: asyncio.Task[_Known]) -> None:
        """Remember what was found, unless `forget` came in between."""
        if self._looking.get(digest) is not ended:
            return
        del self._looking[digest]
        if not ended.cancelled() and ended.exception() is None:
            self._remember(digest, ended.result())

    def _remember(self, digest: bytes, known: _Known) -> None:
        """Refusals apart: whoever presents thousands of wrong keys takes nobody's place."""
        if isinstance(known.outcome, Unauthenticated):
            self._known.pop(digest, None)
            memory = self._refused
        else:
            memory = self._known
        if len(memory) >= REMEMBERED:
            memory.clear()
        memory[digest] = known

    async def _look_up(self, presented: str) -> _Known:
        # Read before the look: a revocation that commits meanwhile is then at most the memory's time away.
        until_s = monotonic() + self._deps.settings.authentication_cache_s
        try:
            if presented.startswith(f"{TokenKind.API_KEY}_"):
                return _Known(await self._api_key(presented), until_s)
            return _Known(await self._access_token(presented), until_s)
        except Unauthenticated as error:
            return _Known(error, until_s)

    async def _api_key(self, presented: str) -> Principal:
        token = api_keys.parse_api_key(presented)
        async with self._deps.database.work(Context.background()) as work:
            stored = await api_key_of(work, token.prefix)
            matrix = await matrix_of(work, stored.organization) if stored else DEFAULT_MATRIX
        return api_keys.authenticate(token, stored, self._deps.keys.api_keys, matrix, self._deps.clock.now())

    async def _access_token(self, presented: str) -> Principal:
        """A genuine token counts as long as its sign-in does; role and name are today's, not those of its making."""
        claims = self._deps.access_tokens.verify(presented, self._deps.clock.now())
        async with self._deps.database.work(Context.background()) as work:
            user = await user_of_token(work, claims.token, claims.user)
            if user is None or user["organization_id"] != claims.organization:
                raise Unauthenticated("the token has been revoked", code="invalid_token")
            matrix = await matrix_of(work, claims.organization)
        today = claims.model_copy(update={"role": Role(user["role"]), "display_name": user["display_name"]})
        return today.principal(user["slug"], matrix)


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

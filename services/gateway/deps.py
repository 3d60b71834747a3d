"""What may the gateway's doors touch?"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from anyio import CapacityLimiter, to_thread

from services.gateway.domain.passwords import SALT_BYTES, Passwords, Verification
from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tokens import AccessTokens, Issuer
from services.gateway.settings import Settings
from services.gateway.storage.sign_ins import Mint
from shared.bus.connection import Bus
from shared.db.engine import Database
from shared.kit.clock import Clock
from shared.security.envelope import KeyRing

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Keys:
    """The signing keys of each purpose, all from the gateway's own ring."""

    api_keys: SigningKeys
    refresh_tokens: SigningKeys
    tickets: SigningKeys
    access_tokens: SigningKeys
    checkpoints: SigningKeys

    @classmethod
    def of(cls, ring: KeyRing) -> "Keys":
        """Derive them. The purposes are stored facts: to rename one ends what was signed under it."""
        return cls(
            api_keys=SigningKeys.of(ring, "gateway/api-keys"),
            refresh_tokens=SigningKeys.of(ring, "gateway/refresh-tokens"),
            tickets=SigningKeys.of(ring, "gateway/tickets"),
            access_tokens=SigningKeys.of(ring, "gateway/access-tokens"),
            checkpoints=SigningKeys.of(ring, "gateway/audit-checkpoints"),
        )


class PasswordThreads:
    """Passwords off the event loop, a few at a time: a storm of sign-ins waits instead of filling the memory."""

    def __init__(self, passwords: Passwords, threads: int, randomness: Randomness = os.urandom) -> None:
        self._passwords = passwords
        self._randomness = randomness
        self._places = CapacityLimiter(threads)

    async def hash(self, password: str) -> str:
        """The PHC string of a password that passed `ensure_strong_password`."""
        hashing = partial(self._passwords.hash, password, self._randomness(SALT_BYTES))
        return await to_thread.run_sync(hashing, limiter=self._places)

    async def verify(self, password: str, stored: str | None) -> Verification:
        return await to_thread.run_sync(partial(self._passwords.verify, password, stored), limiter=self._places)


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything a handler, a job or a route may touch."""

    settings: Settings
    database: Database
    bus: Bus
    clock: Clock
    keys: Keys
    access_tokens: AccessTokens
    passwords: PasswordThreads
    mint: Mint
    randomness: Randomness = os.urandom


def make_deps(settings: Settings, database: Database, bus: Bus, clock: Clock) -> Deps:
    """Raises InvalidKeyRing when CANOPY_GATEWAY_KEY_RING is missing or not usable."""
    keys = Keys.of(KeyRing.parse(settings.gateway_key_ring.get_secret_value()))
    issuer = Issuer(settings.issuer, settings.audience, keys.access_tokens)
    passwords = Passwords(memory_kib=settings.password_memory_kib, passes=settings.password_passes)
    return Deps(
        settings=settings,
        database=database,
        bus=bus,
        clock=clock,
        keys=keys,
        access_tokens=AccessTokens(issuer),
        passwords=PasswordThreads(passwords, settings.password_threads),
        mint=Mint(issuer, keys.refresh_tokens, os.urandom),
    )

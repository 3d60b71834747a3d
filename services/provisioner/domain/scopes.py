"""Which scopes has an account, what is known of each, and which are due to be read?

A scope is a region and a kind of thing. Its facts are as old as the beginning of the last read that reached its end.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.clouds.assets import GLOBAL_REGION

FRESH, UNKNOWN = "fresh", "unknown"

STALE_AFTER_INTERVALS = 3
"""Facts older than so many intervals between reads are unknown, whatever the last read said: reads do not happen."""

RETRY_FIRST = timedelta(seconds=60)
"""A scope whose read failed is read again after this, then twice as long, up to the interval."""


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """The things of one kind in one region of an account."""

    region: str
    resource_type: str
    resource_subtype: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of the reads of one scope. `complete_at`: when the last that reached the end began."""

    scope: Scope
    complete_at: datetime | None = None
    ended_at: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """One account and what is known of its scopes; `expected` are the regions that it should have scopes in."""

    organization_id: UUID
    provider_id: UUID
    expected: frozenset[str]
    readings: tuple[Reading, ...]


def scopes_of(regions: Iterable[str], kinds: Mapping[tuple[str, str], bool]) -> list[Scope]:
    """Every kind (type, subtype) in every region; one that belongs to none (True) once."""
    regions = set(regions)
    return sorted(
        Scope(region, *kind)
        for kind, is_global in kinds.items()
        for region in ({GLOBAL_REGION} if is_global else regions)
    )


def state_of(reading: Reading, now: datetime, every: timedelta) -> str:
    """Fresh only after a complete read that is not too old, and none failed since."""
    if reading.complete_at is None or reading.failures:
        return UNKNOWN
    return FRESH if now - reading.complete_at <= STALE_AFTER_INTERVALS * every else UNKNOWN


def age_s(reading: Reading, now: datetime) -> float | None:
    """How old the scope's facts are at most; None when it was never read to its end."""
    return None if reading.complete_at is None else max(0.0, (now - reading.complete_at).total_seconds())


def due_at(reading: Reading, every: timedelta) -> datetime | None:
    """When the scope is to be read next; None: at once, because it never was."""
    if reading.failures and reading.ended_at is not None:
        backoff: timedelta = RETRY_FIRST * 2 ** min(reading.failures - 1, 16)
        return reading.ended_at + min(every, backoff)
    return None if reading.complete_at is None else reading.complete_at + every


def is_due(reading: Reading, now: datetime, every: timedelta) -> bool:
    moment = due_at(reading, every)
    return moment is None or moment <= now


def due_accounts(accounts: Iterable[Account], now: datetime, every: timedelta, limit: int) -> list[Account]:
    """Those with a scope that is due, or a region that has none yet; first the one whose facts are stale longest."""
    due = [account for account in accounts if _needs_reading(account, now, every)]
    return sorted(due, key=lambda account: (_facts_since(account), account.provider_id))[:limit]


def _needs_reading(account: Account, now: datetime, every: timedelta) -> bool:
    missing = account.expected - {reading.scope.region for reading in account.readings}
    return bool(missing) or any(is_due(reading, now, every) for reading in account.readings)


def _facts_since(account: Account) -> float:
    """Since when its stalest facts are known, in seconds since 1970; before all time when some never were."""
    missing = account.expected - {reading.scope.region for reading in account.readings}
    if missing or not account.readings:
        return -math.inf
    times = (reading.complete_at for reading in account.readings)
    return min(-math.inf if moment is None else moment.timestamp() for moment in times)

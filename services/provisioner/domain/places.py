"""Which account may be asked how it is now, so that one that hangs delays no other?

A check that hangs holds its worker until the request's time is over. Each cloud has a few places, and all accounts that
did not answer the last time share a few more: together fewer than a replica's workers, so whoever is away, the accounts
of the other clouds find a place, and those of the same cloud wait for the first silence only.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

SILENT = "silent"
"""The lane of the accounts that did not answer the last time, whatever their cloud."""


def places_of_a_lane(workers: int, clouds: int) -> int:
    """So many that all lanes full leave workers free: 4 of 32 for six clouds and the silent ones."""
    return max(1, workers // (clouds + 2))


class Places:
    """The places of one process. An account is never asked twice at once, a lane never holds more than its places."""

    def __init__(self, places_of_a_lane: int) -> None:
        self._most = places_of_a_lane
        self._taken: Counter[str] = Counter()
        self._accounts: set[UUID] = set()

    @contextmanager
    def hold(self, lane: str, account: UUID) -> Iterator[bool]:
        """True with a place for as long as the block lasts; False when there is none now."""
        if account in self._accounts or self._taken[lane] >= self._most:
            yield False
            return
        self._taken[lane] += 1
        self._accounts.add(account)
        try:
            yield True
        finally:
            self._taken[lane] -= 1
            self._accounts.discard(account)

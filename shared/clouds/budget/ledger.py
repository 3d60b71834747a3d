"""Where do processes keep the record of a budget together? A port: any store with compare and set will do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class Outdated(Exception):
    """Somebody else wrote in between: read again."""


class Away(Exception):
    """The store does not answer now. Whether a write was done is unknown."""


class Ledger(Protocol):
    """Records by key, each with a revision; 0 is the revision of what is not there."""

    async def read(self, key: str) -> tuple[bytes | None, int]:
        """The record and its revision. Raises Away."""
        ...

    async def write(self, key: str, record: bytes, revision: int) -> None:
        """Replace what had that revision. Raises Outdated and Away."""
        ...

    async def follow(self, key: str, told: Callable[[bytes], None]) -> Callable[[], Awaitable[None]]:
        """Call `told` with each new record until what is returned is called. Raises Away.

        It may be told what was refused as outdated, after what was written instead.
        """
        ...

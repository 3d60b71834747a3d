"""Whose expressions are not asked for a while? Who held up the worker once pauses alone; nobody else waits for him."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID


class Pauses:
    """Until when organizations pause; each replica keeps its own."""

    def __init__(self, pause_s: float) -> None:
        self._pause = timedelta(seconds=pause_s)
        self._until: dict[UUID, datetime] = {}

    def begin(self, organization: UUID, now: datetime) -> datetime:
        """Returns when it ends."""
        self._until[organization] = now + self._pause
        return self._until[organization]

    def paused(self, organizations: Iterable[UUID], now: datetime) -> set[UUID]:
        """Those of these organizations that still pause; pauses that are over are forgotten."""
        self._until = {each: until for each, until in self._until.items() if until > now}
        return {each for each in organizations if each in self._until}

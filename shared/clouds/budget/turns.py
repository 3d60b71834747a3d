"""Whose call is next? Start-time fair queueing over scopes, people before background work. Pure.

Each scope (a region's machines, a person's click) has a virtual start time that advances by one with each of its calls;
the waiting scope with the least goes first, so that busy scopes share evenly whatever the length of their queues. A
scope that was away comes back with a credit: its first calls go before those of scopes that have been busy for long
(Duda and Cheriton's borrowed virtual time, SOSP 1999). A small scope is therefore done as if it were alone, and a huge
one is delayed by at most the credit of each other.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import Generic, TypeVar

CREDIT_CALLS = 24
PEOPLE_IN_A_ROW = 4
"""After as many calls of people one of the background is let through, so that it does not starve."""

T = TypeVar("T")


class Priority(IntEnum):
    """Who waits for the answer."""

    PEOPLE = 0
    BACKGROUND = 1


class _Line(Generic[T]):
    """The scopes of one priority."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        self._next: dict[str, float] = {}
        self._now = 0.0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def scopes(self) -> int:
        return len(self._waiting)

    def add(self, scope: str, item: T) -> None:
        if scope not in self._waiting:
            self._waiting[scope] = deque()
            self._next[scope] = max(self._next.get(scope, 0.0), self._now - CREDIT_CALLS)
        self._waiting[scope].append(item)

    def take(self) -> T:
        scope = min(self._waiting, key=self._next.__getitem__)
        item = self._waiting[scope].popleft()
        self._now = max(self._now, self._next[scope])
        self._next[scope] += 1
        self._leave_if_empty(scope)
        return item

    def remove(self, scope: str, item: T) -> bool:
        queue = self._waiting.get(scope)
        if queue is None or item not in queue:
            return False
        queue.remove(item)
        self._leave_if_empty(scope)
        return True

    def _leave_if_empty(self, scope: str) -> None:
        if not self._waiting[scope]:
            del self._waiting[scope]
            floor = self._now - CREDIT_CALLS
            self._next = {name: at for name, at in self._next.items() if at > floor or name in self._waiting}


class Turns(Generic[T]):
    """Calls that wait for their turn. An item is in it once."""

    def __init__(self) -> None:
        self._lines: dict[Priority, _Line[T]] = {priority: _Line() for priority in Priority}
        self._people_in_a_row = 0

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def __bool__(self) -> bool:
        return any(self._lines.values())

    @property
    def scopes(self) -> int:
        """How many scopes wait."""
        return sum(line.scopes for line in self._lines.values())

    @property
    def people_wait(self) -> bool:
        return bool(self._lines[Priority.PEOPLE])

    def add(self, scope: str, priority: Priority, item: T) -> None:
        self._lines[priority].add(scope, item)

    def take(self) -> T:
        """The next one. Raises ValueError when nobody waits."""
        people, background = self._lines[Priority.PEOPLE], self._lines[Priority.BACKGROUND]
        if people and (not background or self._people_in_a_row < PEOPLE_IN_A_ROW):
            self._people_in_a_row += 1
            return people.take()
        self._people_in_a_row = 0
        return background.take()

    def remove(self, scope: str, priority: Priority, item: T) -> bool:
        """Somebody gives up waiting; whether it was still waiting."""
        return self._lines[priority].remove(scope, item)

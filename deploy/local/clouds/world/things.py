"""What exists in the simulated clouds, and in which state is it now?

States take time and settle on read: a thing carries the steps that are still to come, each with its time, and whoever
looks applies those that are due. No background task, so a test that advances the clock sees exactly what it asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Step = tuple[float, str]
"""(time in seconds since 1970, state from then on)"""

# The kinds of things that stand for the same in every cloud; a provider's package files its things under these names.
MACHINE, VOLUME, SNAPSHOT, IMAGE, GROUP = "machine", "volume", "snapshot", "image", "group"


@dataclass
class Thing:
    """A machine, a volume, an operation… of one account. `facts` are the provider's own and must be JSON.

    `steps` are the coming states, the soonest first; a thing whose last step is `GONE` is removed when that is due.
    """

    provider: str
    account: str
    region: str
    kind: str
    id: str
    state: str
    facts: dict[str, Any]
    created_s: float
    token: str | None = None
    steps: list[Step] = field(default_factory=list)
    number: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.provider, self.account, self.kind, self.id

    def settle(self, now_s: float) -> bool:
        """Take every step that is due; True when the state changed."""
        before = self.state
        while self.steps and self.steps[0][0] <= now_s:
            self.state = self.steps.pop(0)[1]
        return self.state != before

    def turn(self, state: str, *then: Step) -> None:
        """Be in `state` from now on, then in those that follow; what was to come before is forgotten."""
        self.state, self.steps = state, sorted(then, key=lambda step: step[0])


GONE = "·gone"
"""The last step of a thing that is to disappear from every list."""


class Things:
    """All of them, by provider, account, kind and id. Reads settle; `put` and `remove` are remembered until saved."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._things: dict[tuple[str, str, str], dict[str, Thing]] = {}
        self.changed: dict[tuple[str, str, str, str], Thing | None] = {}
        self.last_number = 0

    def load(self, things: list[Thing]) -> None:
        for thing in things:
            self._things.setdefault(thing.key[:3], {})[thing.id] = thing
            self.last_number = max(self.last_number, thing.number)

    def put(self, thing: Thing) -> Thing:
        """Add or replace."""
        if thing.number == 0:
            self.last_number += 1
            thing.number = self.last_number
        self._things.setdefault(thing.key[:3], {})[thing.id] = thing
        self.changed[thing.key] = thing
        return thing

    def remove(self, thing: Thing) -> None:
        """Forget it at once; idempotent."""
        self._things.get(thing.key[:3], {}).pop(thing.id, None)
        self.changed[thing.key] = None

    def get(self, provider: str, account: str, kind: str, identifier: str) -> Thing | None:
        thing = self._things.get((provider, account, kind), {}).get(identifier)
        return thing if thing is not None and self._is_there(thing) else None

    def of(self, provider: str, account: str, kind: str, region: str | None = None) -> list[Thing]:
        """In the order in which they were made; only of one region when it is given."""
        known = list(self._things.get((provider, account, kind), {}).values())
        return [each for each in known if (region is None or each.region == region) and self._is_there(each)]

    def by_token(self, provider: str, account: str, kind: str, token: str) -> Thing | None:
        """The thing that was made with an idempotency token, in any state."""
        return next((each for each in self.of(provider, account, kind) if each.token == token), None)

    def everything(self, provider: str, kind: str) -> Iterator[Thing]:
        """Of all accounts."""
        for owner, account, known in list(self._things):
            if (owner, known) == (provider, kind):
                yield from self.of(provider, account, kind)

    def kinds(self, provider: str) -> list[str]:
        """Of which there is or was anything, in any account."""
        return sorted({kind for owner, _, kind in self._things if owner == provider})

    def _is_there(self, thing: Thing) -> bool:
        if thing.settle(self._now_s()):
            self.changed[thing.key] = thing
        if thing.state == GONE:
            self.remove(thing)
        return thing.state != GONE

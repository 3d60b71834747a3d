"""A cloud for fuzzed reads: one account in one region, whose lists lag behind and whose answers break, by a seed.

It is honest: what it lists was true at a moment of the last `LAG_S` seconds, another moment for each thing.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from services.provisioner.domain.sightings import Found, of_machine
from shared.clouds.errors import AuthFailed, PermissionDenied, ProviderFault, RateLimited, Unreachable
from shared.clouds.models import TOKEN_TAG, Machine, MachineState

LAG_S = 30.0
REGION = "us-east-1"
TYPES = ("t3.micro", "t3.small", "m5.large")
FAULTS = (
    RateLimited("throttled", "too many requests", provider="aws", operation="list", retry_after_s=3),
    Unreachable("timeout", "no answer", provider="aws", operation="list"),
    ProviderFault("broken", "internal error", provider="aws", operation="list"),
    PermissionDenied("denied", "not allowed", provider="aws", operation="list"),
    AuthFailed("expired", "credentials expired", provider="aws", operation="list"),
    KeyError("a field that an adapter did not expect to be missing"),
)


class Killed(BaseException):
    """The replica dies here: nothing of it runs any more."""


class ManualClock:
    """Time moves when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Life:
    """One machine's states by time; the last one counts. It exists from the first on, until `ended_at`."""

    states: list[tuple[datetime, Machine]] = field(default_factory=list)
    ended_at: datetime | None = None

    @property
    def now(self) -> Machine:
        return self.states[-1][1]

    def at(self, moment: datetime) -> Machine | None:
        if self.ended_at is not None and moment >= self.ended_at:
            return None
        return next((machine for since, machine in reversed(self.states) if since <= moment), None)


class ScriptedCloud:
    """Its machines, what happens to them, and lists of them page by page."""

    def __init__(self, random_source: random.Random, clock: ManualClock) -> None:
        self.random = random_source
        self.clock = clock
        self.lives: dict[str, Life] = {}
        self.fault_rate = 0.0
        self.kill_rate = 0.0
        self.lag_s = LAG_S
        self.meanwhile = self.do_nothing

    async def do_nothing(self) -> None:
        """What happens between two pages."""

    @property
    def alive(self) -> dict[str, Machine]:
        return {key: life.now for key, life in self.lives.items() if life.ended_at is None}

    def create(self, token: str | None = None) -> str:
        machine_id = f"i-{len(self.lives)}-{self.random.randrange(10**9)}"
        tags = {"Name": f"m{len(self.lives)}", **({} if token is None else {TOKEN_TAG: token})}
        machine = Machine(
            id=machine_id, state=MachineState.RUNNING, instance_type=self.random.choice(TYPES), image="ami-1",
            region=REGION, zone=f"{REGION}a", tags=tags, private_ip="10.0.0.1",
        )  # fmt: skip
        self.lives[machine_id] = Life([(self.clock.now(), machine)])
        return machine_id

    def delete(self, machine_id: str) -> None:
        self.lives[machine_id].ended_at = self.clock.now()

    def change(self, machine_id: str) -> None:
        """Stopped, started, resized or labelled by somebody else."""
        life = self.lives[machine_id]
        kind = self.random.randrange(3)
        changed = (
            replace(life.now, state=self.random.choice((MachineState.RUNNING, MachineState.STOPPED))),
            replace(life.now, instance_type=self.random.choice(TYPES)),
            replace(life.now, tags={**life.now.tags, "team": str(self.random.randrange(3))}),
        )[kind]
        life.states.append((self.clock.now(), changed))

    async def pages(self, region: str) -> AsyncIterator[list[Found]]:
        """A list as it may come: late, cut, refused, with a thing on two pages."""
        assert region == REGION
        listed = [machine for life in self.lives.values() if (machine := self._seen(life)) is not None]
        self.random.shuffle(listed)
        size = self.random.randrange(1, 6)
        pages = [listed[first : first + size] for first in range(0, len(listed), size)] or [[]]
        if len(pages) > 1 and self.random.random() < 0.2:
            pages[-1] = [*pages[-1], pages[0][0]]
        for page in pages:
            self.clock.advance(self.random.random() * 5)
            await self.meanwhile()
            if self.random.random() < self.kill_rate:
                raise Killed
            if self.random.random() < self.fault_rate:
                raise self.random.choice(FAULTS)
            yield [of_machine(each) for each in page]

    def _seen(self, life: Life) -> Machine | None:
        return life.at(self.clock.now() - timedelta(seconds=self.random.random() * self.lag_s))

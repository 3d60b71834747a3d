"""Fuzzed reads of a scope: whatever lags, breaks, dies or happens meanwhile, is anything deleted that lives?

And is what is gone found out by the next complete read? Each run is one organization's account at a scripted cloud,
read by the provisioner's own code into a real database; a clean-up by age, which it does not have, is counted beside.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from deploy.chaos.scripted import LAG_S, REGION, Killed, ManualClock, ScriptedCloud
from services.provisioner.deps import Deps
from services.provisioner.domain.resources import RUNNING, STOPPED, TERMINATED
from services.provisioner.domain.scopes import Scope
from services.provisioner.domain.sightings import Found
from services.provisioner.handlers.scans import read_scope
from services.provisioner.storage import providers, resources, scopes
from services.provisioner.storage.scopes import ReadOvertaken
from services.provisioner.storage.tables import cloud_resources
from shared.clouds.models import MachineState
from shared.db.work import rows
from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.providers import Provider

SCOPE = Scope(REGION, "compute", "ec2_instance")
SETTLE_S = 60.0
"""The provisioner's setting `inventory_settle_s`, which a run needs to be this."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one seed. `lost_by_age`: living machines that a clean-up by age would have called gone."""

    seed: int
    reads: int
    false_deletions: tuple[str, ...]
    missed: tuple[str, ...]
    lost_by_age: int

    @property
    def findings(self) -> list[str]:
        return [
            *(f"seed {self.seed}: {each} lives and was deleted" for each in self.false_deletions),
            *(f"seed {self.seed}: {each}" for each in self.missed),
        ]


class Account:
    """One organization's account: its cloud, its rows, and what we ourselves do to them as the sagas do it."""

    def __init__(self, deps: Deps, clock: ManualClock, seed: int) -> None:
        self.deps = deps
        self.clock = clock
        self.random = random.Random(seed)
        self.cloud = ScriptedCloud(self.random, clock)
        self.context = Context.automatic(new_id())
        self.provider: Provider
        self.last_seen: dict[str, datetime] = {}
        """When each machine was last on a page: what a clean-up by age goes by."""
        self.reads = 0
        self.unplaced: dict[UUID, str] = {}
        """Rows whose machine is being made: the token of each."""
        self.placed: list[tuple[UUID, str]] = []
        """Rows of which the cloud has made the machine, whose saga has not noted it yet."""

    async def open(self) -> None:
        async with self.deps.database.work(self.context) as work:
            provider_id = new_id()
            await providers.add(
                work,
                {
                    "id": provider_id, "organization_id": work.organization, "provider_name": "aws",
                    "provider_type": "primary", "display_name": "fuzzed", "regions": [REGION], "account_id": "1",
                    "capabilities": {}, "metrics_period_s": 300, "is_active": True, "health_status": "healthy",
                    "created_by": self.context.actor, "created_at": work.now, "updated_at": work.now, "version": 1,
                },
            )  # fmt: skip
            self.provider = await providers.get(work, provider_id)
            await scopes.put(work, provider_id, [SCOPE])

    async def read(self) -> bool:
        """One read of the scope; False when it did not reach its end, was overtaken or died."""
        self.reads += 1
        try:
            return await read_scope(self.deps, self.context, self.provider, SCOPE, self.pages, new_id())
        except (ReadOvertaken, Killed):
            return False

    async def pages(self, region: str) -> AsyncIterator[list[Found]]:
        async for page in self.cloud.pages(region):
            self.last_seen |= {found.resource_id: self.clock.now() for found in page}
            yield page

    def lost_by_age(self) -> set[str]:
        """What lives although it was not seen for long: gone, if age decided."""
        limit = self.clock.now() - timedelta(seconds=2 * SETTLE_S)
        return {each for each, seen in self.last_seen.items() if seen < limit} & self.cloud.alive.keys()

    async def rows(self) -> list[dict[str, Any]]:
        mine = cloud_resources.c.organization_id == self.context.organization
        async with self.deps.database.work(self.context) as work:
            return list(rows(await work.execute(select(cloud_resources).where(mine))))

    async def happen(self) -> None:
        """Something happens: at the cloud, or by one of our sagas."""
        self.clock.advance(self.random.random() * 20)
        await self.random.choice(
            (self._they_create, self._they_delete, self._they_change, self._they_change, self._we_accept,
             self._we_create, self._we_note, self._we_terminate)
        )()  # fmt: skip

    async def _they_create(self) -> None:
        self.cloud.create()

    async def _they_delete(self) -> None:
        known = [each for each in self.cloud.alive if each not in {machine for _, machine in self.placed}]
        if known:
            self.cloud.delete(self.random.choice(known))

    async def _they_change(self) -> None:
        if self.cloud.alive:
            self.cloud.change(self.random.choice(list(self.cloud.alive)))

    async def _we_accept(self) -> None:
        """CreateResource, and the step that keeps the token."""
        resource_id, token = new_id(), str(new_id())
        async with self.deps.database.work(self.context) as work:
            row = {
                "id": resource_id, "organization_id": work.organization, "provider_id": self.provider.id,
                "provider_name": "aws", "region": REGION, "resource_name": "ours", "resource_type": "compute",
                "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"},
                "resource_status": "provisioning", "environment": "production", "project": "photos",
                "is_wedding_critical": False, "created_by": self.context.actor, "created_at": work.now,
                "updated_at": work.now, "version": 1, "operation_id": new_id(), "creation_token": token,
            }  # fmt: skip
            await resources.add(work, row, {})
        self.unplaced[resource_id] = token

    async def _we_create(self) -> None:
        if self.unplaced:
            resource_id, token = self.unplaced.popitem()
            self.placed.append((resource_id, self.cloud.create(token)))

    async def _we_note(self) -> None:
        """`note machine` and `record running`."""
        if self.placed:
            resource_id, machine_id = self.placed.pop()
            async with self.deps.database.work(self.context) as work:
                await resources.change(work, resource_id, resource_id=machine_id, placed_at=work.now)
                await resources.change(work, resource_id, operation_id=None, resource_status=RUNNING)

    async def _we_terminate(self) -> None:
        """TerminateResource of something that runs or was adopted."""
        known = [row for row in await self.rows() if row["resource_status"] != TERMINATED
                 and row["operation_id"] is None and row["resource_id"] in self.cloud.alive]  # fmt: skip
        if not known:
            return
        chosen = self.random.choice(known)
        async with self.deps.database.work(self.context) as work:
            await resources.change(work, chosen["id"], operation_id=new_id(), resource_status="stopping")
        await self.cloud.meanwhile()
        self.cloud.delete(chosen["resource_id"])
        self.clock.advance(self.random.random() * 10)
        async with self.deps.database.work(self.context) as work:
            await resources.change(
                work, chosen["id"], operation_id=None, resource_status=TERMINATED, terminated_at=work.now
            )

    async def finish(self) -> None:
        """Let our sagas come to their ends."""
        while self.unplaced:
            await self._we_create()
        while self.placed:
            await self._we_note()

    async def falsely_deleted(self) -> set[str]:
        """What lives and has a row that says it is gone."""
        gone = {row["resource_id"] for row in await self.rows() if row["resource_status"] == TERMINATED}
        return gone & self.cloud.alive.keys()

    async def differences(self) -> list[str]:
        """Every machine has one living row that is as it is, and no other row lives: where that is not so."""
        living = [row for row in await self.rows() if row["resource_status"] != TERMINATED]
        known, alive = sorted(row["resource_id"] for row in living), self.cloud.alive
        if known != sorted(alive):
            return [f"{each} is gone and has a living row, or two" for each in known if each not in alive] + [
                f"{each} lives and has no row" for each in alive if each not in known
            ] or ["a machine has two rows"]
        return [f"{row['resource_id']} is not as it is" for row in living if not _is_as(row, alive[row["resource_id"]])]


def _is_as(row: dict[str, Any], machine: Any) -> bool:
    expected = {MachineState.RUNNING: RUNNING, MachineState.STOPPED: STOPPED}[machine.state]
    tags = {key: value for key, value in machine.tags.items() if ":" not in key}
    seen = row["resource_status"], row["configuration"]["instance_type"], row["observed"]["tags"]
    return bool(seen == (expected, machine.instance_type, tags))


async def fuzz(deps: Deps, clock: ManualClock, seed: int) -> Run:
    """One run. `deps` have this clock and SETTLE_S."""
    account = Account(deps, clock, seed)
    await account.open()
    lost, false = await _storm(account)
    await account.finish()
    cloud = account.cloud
    cloud.fault_rate = cloud.kill_rate = 0.0
    cloud.meanwhile = cloud.do_nothing
    clock.advance(SETTLE_S + LAG_S + 1)
    cloud.lag_s = 0.0
    missed = [] if await account.read() else ["a read without any fault did not reach its end"]
    false |= await account.falsely_deleted()
    missed += await account.differences()
    return Run(seed, account.reads, tuple(sorted(false)), tuple(missed), len(lost))


async def _storm(account: Account) -> tuple[set[str], set[str]]:
    """Some reads while things happen; what age would have lost, and what was falsely deleted."""
    cloud, chance = account.cloud, account.random

    async def meanwhile() -> None:
        if chance.random() < 0.3:
            cloud.meanwhile = cloud.do_nothing  # nothing happens within what happens
            await account.happen()
            cloud.meanwhile = meanwhile
        await asyncio.sleep(0)

    cloud.meanwhile = meanwhile
    lost: set[str] = set()
    false: set[str] = set()
    for _ in range(chance.randrange(3, 7)):
        for _ in range(chance.randrange(6)):
            await account.happen()
        account.clock.advance(chance.choice((0, 10, 120, 300)))
        cloud.fault_rate, cloud.kill_rate = chance.choice(((0.0, 0.0), (0.25, 0.0), (0.1, 0.1)))
        if chance.random() < 0.2:
            await asyncio.gather(account.read(), account.read())
        else:
            await account.read()
        lost |= account.lost_by_age()
        false |= await account.falsely_deleted()
    return lost, false

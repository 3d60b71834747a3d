"""Fuzzed reads of a scope: whatever lags, breaks, dies or happens meanwhile, nothing that lives is gone, and what is gone
is found out by the next complete read.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from services.provisioner.deps import Deps
from services.provisioner.domain.places import Places
from services.provisioner.domain.resources import RUNNING, STOPPED, TERMINATED
from services.provisioner.domain.scopes import Scope
from services.provisioner.domain.sightings import Found, of_machine, of_volume
from services.provisioner.handlers.scans import read_scope
from services.provisioner.settings import Settings
from services.provisioner.storage import providers, resources, scopes
from services.provisioner.storage.scopes import ReadOvertaken
from services.provisioner.storage.tables import cloud_resources
from shared.clouds.models import AttachedVolume, Machine, MachineState, Volume, VolumeState
from shared.clouds.registry import Clouds
from shared.clouds.settings import CloudSettings
from shared.db.journal import Journal, JournalSettings
from shared.db.migrate import downgrade, upgrade
from shared.db.reads import Reader
from shared.db.work import rows
from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.providers import Provider
from shared.security.envelope import KeyRing
from tests.fixtures.services import Services, context
from tests.services.provisioner.conftest import key_ring
from tests.services.provisioner.scripted import LAG_S, REGION, Killed, ScriptedCloud, TestClock

pytestmark = pytest.mark.anyio

SCOPE = Scope(REGION, "compute", "ec2_instance")
SETTLE_S = 60.0
SHARES, RUNS = 4, int(os.environ.get("CANOPY_FUZZ_RUNS", "10"))
"""So many runs are in each share of them, which is a test of its own."""


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def deps(services: Services, clock: TestClock) -> Deps:
    """What a replica has; its clock is the test's."""
    database = services.database("provisioner")
    database.clock = clock
    return Deps(
        settings=Settings(inventory_settle_s=SETTLE_S),
        cloud_settings=CloudSettings(),
        bus=services.bus,
        database=database,
        journal=Journal(database, JournalSettings(), "test"),
        reader=Reader("postgresql://nobody@127.0.0.1:1/nowhere"),
        clouds=Clouds(CloudSettings()),
        key_ring=KeyRing.parse(key_ring()),
        places=Places(1),
        clock=clock,
    )


class Account:
    """One organization's account: its cloud, its rows, and what we ourselves do to them as the sagas do it."""

    def __init__(self, deps: Deps, clock: TestClock, seed: int) -> None:
        self.deps = deps
        self.clock = clock
        self.random = random.Random(seed)
        self.cloud = ScriptedCloud(self.random, clock)
        self.context: Context = context()
        self.provider: Provider
        self.last_seen: dict[str, datetime] = {}
        """When each machine was last on a page: what a clean-up by age goes by."""
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
            (self._they_create, self._they_delete, self._they_change, self._they_change, self._we_accept, self._we_create,
             self._we_note, self._we_terminate)
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


async def check_no_false_deletion(account: Account) -> None:
    """Nothing that lives has a row that says it is gone."""
    gone = {row["resource_id"] for row in await account.rows() if row["resource_status"] == TERMINATED}
    assert not gone & account.cloud.alive.keys()


async def check_complete(account: Account) -> None:
    """Every machine has one living row that is as it is, and no other row lives."""
    living = [row for row in await account.rows() if row["resource_status"] != TERMINATED]
    alive = account.cloud.alive
    assert sorted(row["resource_id"] for row in living) == sorted(alive)
    for row in living:
        machine = alive[row["resource_id"]]
        expected = {MachineState.RUNNING: RUNNING, MachineState.STOPPED: STOPPED}[machine.state]
        assert row["resource_status"] == expected
        assert row["configuration"]["instance_type"] == machine.instance_type
        assert row["observed"]["tags"] == {key: value for key, value in machine.tags.items() if ":" not in key}


async def fuzz(deps: Deps, clock: TestClock, seed: int) -> int:
    """One run; how many living machines a clean-up by age would have called gone."""
    account = Account(deps, clock, seed)
    await account.open()
    cloud, chance = account.cloud, account.random

    async def meanwhile() -> None:
        if chance.random() < 0.3:
            cloud.meanwhile = cloud.do_nothing  # nothing happens within what happens
            await account.happen()
            cloud.meanwhile = meanwhile
        await asyncio.sleep(0)

    cloud.meanwhile = meanwhile
    lost: set[str] = set()
    for _ in range(chance.randrange(3, 7)):
        for _ in range(chance.randrange(6)):
            await account.happen()
        clock.advance(chance.choice((0, 10, 120, 300)))
        cloud.fault_rate, cloud.kill_rate = chance.choice(((0.0, 0.0), (0.25, 0.0), (0.1, 0.1)))
        if chance.random() < 0.2:
            await asyncio.gather(account.read(), account.read())
        else:
            await account.read()
        lost |= account.lost_by_age()
        await check_no_false_deletion(account)
    await account.finish()
    cloud.fault_rate = cloud.kill_rate = 0.0
    cloud.meanwhile = cloud.do_nothing
    clock.advance(SETTLE_S + LAG_S + 1)
    cloud.lag_s = 0.0
    assert await account.read()
    await check_no_false_deletion(account)
    await check_complete(account)
    return len(lost)


@pytest.mark.parametrize("share", range(SHARES))
async def test_fuzzed_reads_delete_nothing_that_lives_and_miss_nothing_that_went(
    deps: Deps, clock: TestClock, share: int
) -> None:
    """A clean-up by age, beside it, deletes what lives: the runs are as hard as they are meant to be."""
    lost_by_age = 0
    for seed in range(share * RUNS, (share + 1) * RUNS):
        try:
            lost_by_age += await fuzz(deps, clock, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert lost_by_age > 0


def fleet(count: int, state: MachineState = MachineState.RUNNING) -> list[Found]:
    return [
        of_machine(
            Machine(
                id=f"i-{number:05}", state=state, instance_type="t3.micro", image="ami-1", region=REGION, zone="a",
                tags={"Name": f"m{number}", "team": "photos"}, subnet_id="subnet-1", security_groups=("sg-1", "sg-2"),
                volumes=(AttachedVolume(f"vol-{number:05}", "/dev/xvda"),),
            )
        )
        for number in range(count)
    ]  # fmt: skip


def paged(things: list[Found], size: int = 1000) -> Any:
    async def pages(_: str) -> AsyncIterator[list[Found]]:
        for first in range(0, len(things), size):
            yield things[first : first + size]

    return pages


async def statements_of(deps: Deps, account: Account, things: list[Found]) -> int:
    """How many statements a read of these things takes."""
    count = 0

    def on_execute(*_: Any) -> None:
        nonlocal count
        count += 1

    engine = deps.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", on_execute)
    try:
        assert await read_scope(deps, account.context, account.provider, SCOPE, paged(things), new_id())
    finally:
        event.remove(engine, "before_cursor_execute", on_execute)
    return count


async def test_a_page_takes_the_same_statements_however_many_things_it_shows(deps: Deps, clock: TestClock) -> None:
    counts = []
    for size in (1, 500):
        account = Account(deps, clock, size)
        await account.open()
        found = await statements_of(deps, account, fleet(size))
        clock.advance(2 * SETTLE_S)
        same = await statements_of(deps, account, fleet(size))
        changed = await statements_of(deps, account, fleet(size, MachineState.STOPPED))
        clock.advance(2 * SETTLE_S)
        gone = await statements_of(deps, account, [])
        counts.append((found, same, changed, gone))
        assert {row["resource_status"] for row in await account.rows()} == {TERMINATED}
    assert counts[0] == counts[1]


async def test_a_read_that_was_overtaken_writes_no_more(deps: Deps, clock: TestClock) -> None:
    account = Account(deps, clock, 1)
    await account.open()

    async def pages(_: str) -> AsyncIterator[list[Found]]:
        yield fleet(1)
        async with deps.database.work(account.context) as work:
            await scopes.begin(work, account.provider.id, SCOPE, new_id())
        yield fleet(2)

    with pytest.raises(ReadOvertaken):
        await read_scope(deps, account.context, account.provider, SCOPE, pages, new_id())
    assert len(await account.rows()) == 1


async def test_a_number_may_be_a_machine_and_a_volume(deps: Deps, clock: TestClock) -> None:
    """Providers that number things number each kind from one: neither is taken for the other."""
    account, volumes = Account(deps, clock, 1), Scope(REGION, "storage", "volume")
    await account.open()
    async with deps.database.work(account.context) as work:
        await scopes.put(work, account.provider.id, [SCOPE, volumes])
    volume = of_volume(Volume("7", VolumeState.IN_USE, 8, REGION, "a", {}, machine_id="7"))
    machine = replace(fleet(1)[0], resource_id="7")
    for scope, thing in ((SCOPE, machine), (volumes, volume), (SCOPE, machine), (volumes, volume)):
        assert await read_scope(deps, account.context, account.provider, scope, paged([thing]), new_id())
        clock.advance(2 * SETTLE_S)
    found = await account.rows()
    assert sorted((row["resource_id"], row["resource_type"], row["version"]) for row in found) == [
        ("7", "compute", 1), ("7", "storage", 1),
    ]  # fmt: skip


async def test_what_a_drill_makes_is_left_to_the_drill(deps: Deps, clock: TestClock) -> None:
    account = Account(deps, clock, 1)
    await account.open()
    drilled = replace(fleet(1)[0], tags={"canopy:drill": str(new_id())})
    assert await read_scope(deps, account.context, account.provider, SCOPE, paged([drilled]), new_id())
    assert await account.rows() == []


async def test_the_code_before_finds_only_what_it_made_itself(deps: Deps, clock: TestClock, services: Services) -> None:
    """Going back takes what was discovered with it; also its volumes, whose status the tables before do not take."""
    account, volumes = Account(deps, clock, 1), Scope(REGION, "storage", "volume")
    await account.open()
    await account._we_accept()
    async with deps.database.work(account.context) as work:
        await scopes.put(work, account.provider.id, [SCOPE, volumes])
        await providers.change(work, account.provider.id, regions_read_at=work.now)
    volume = of_volume(Volume("vol-1", VolumeState.IN_USE, 8, REGION, "a", {"team": "photos"}))
    for scope, things in ((SCOPE, fleet(1)), (volumes, [volume])):
        assert await read_scope(deps, account.context, account.provider, scope, paged(things), new_id())
    assert len(await account.rows()) == 3
    await deps.database.engine.dispose()
    url = services.database_of("provisioner").owner_url
    await asyncio.to_thread(downgrade, "provisioner", url, "0002")
    await asyncio.to_thread(upgrade, "provisioner", url)
    [row] = await account.rows()
    assert row["origin"] == "provisioned"
    async with deps.database.work(account.context) as work:
        assert await providers.regions_read_at(work, account.provider.id) == clock.now()

"""Fuzzed reads of a scope: whatever lags, breaks, dies or happens meanwhile, nothing that lives is gone, and what is gone
is found out by the next complete read.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from deploy.chaos.scans import SCOPE, SETTLE_S, Account, fuzz
from deploy.chaos.scripted import REGION, ManualClock
from services.provisioner.deps import Deps
from services.provisioner.domain.places import Places
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.domain.scopes import Scope
from services.provisioner.domain.sightings import Found, of_machine, of_volume
from services.provisioner.handlers.scans import read_scope
from services.provisioner.settings import Settings
from services.provisioner.storage import providers, scopes
from services.provisioner.storage.scopes import ReadOvertaken
from shared.clouds.models import AttachedVolume, Machine, MachineState, Volume, VolumeState
from shared.clouds.registry import Clouds
from shared.clouds.settings import CloudSettings
from shared.db.journal import Journal, JournalSettings
from shared.db.migrate import downgrade, upgrade
from shared.db.reads import Reader
from shared.kit.ids import new_id
from shared.security.envelope import KeyRing
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import key_ring

pytestmark = pytest.mark.anyio

SHARES, RUNS = 4, int(os.environ.get("CANOPY_FUZZ_RUNS", "10"))
"""So many runs are in each share of them, which is a test of its own."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def deps(services: Services, clock: ManualClock) -> Deps:
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


@pytest.mark.parametrize("share", range(SHARES))
async def test_fuzzed_reads_delete_nothing_that_lives_and_miss_nothing_that_went(
    deps: Deps, clock: ManualClock, share: int
) -> None:
    """A clean-up by age, beside it, deletes what lives: the runs are as hard as they are meant to be."""
    runs = [await fuzz(deps, clock, seed) for seed in range(share * RUNS, (share + 1) * RUNS)]
    assert [finding for run in runs for finding in run.findings] == []
    assert sum(run.lost_by_age for run in runs) > 0


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


async def test_a_page_takes_the_same_statements_however_many_things_it_shows(deps: Deps, clock: ManualClock) -> None:
    counts = []
    for size in (1, 250):
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


async def test_a_read_that_was_overtaken_writes_no_more(deps: Deps, clock: ManualClock) -> None:
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


async def test_a_number_may_be_a_machine_and_a_volume(deps: Deps, clock: ManualClock) -> None:
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


async def test_what_a_drill_makes_is_left_to_the_drill(deps: Deps, clock: ManualClock) -> None:
    account = Account(deps, clock, 1)
    await account.open()
    drilled = replace(fleet(1)[0], tags={"canopy:drill": str(new_id())})
    assert await read_scope(deps, account.context, account.provider, SCOPE, paged([drilled]), new_id())
    assert await account.rows() == []


async def test_the_code_before_finds_only_what_it_made_itself(
    deps: Deps, clock: ManualClock, services: Services
) -> None:
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

"""Do processes spend from one budget over a real bus, and what do they do without it?"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.nats import Nats
from shared.bus.budgets import BudgetLedger
from shared.bus.connection import Bus, create_bus
from shared.bus.topology import reconcile
from shared.clouds.budget.ledger import Away, Outdated
from shared.clouds.budget.limiter import Limiter, budget_key
from shared.clouds.budget.rate import Api
from shared.clouds.budget.shares import read_record
from shared.clouds.errors import RateLimited
from shared.clouds.settings import CloudSettings
from shared.kit.settings import BaseServiceSettings
from tests.fixtures.servers import NatsServer
from tests.fixtures.toy import toy_router

pytestmark = pytest.mark.anyio

API = Api("calls", rate_per_s=40, burst=4)
SETTINGS = CloudSettings(cloud_budget_wait_s=30)


@pytest.fixture
def own_nats_server(server_folder: Path) -> Iterator[Nats]:
    """One that a test may kill."""
    server = Nats(server_folder / "budgets")
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Bus]:
    bus = create_bus(BaseServiceSettings(nats_url=url), "costs")
    await bus.open()
    try:
        yield bus
    finally:
        await bus.client.close()  # its own close says goodbye first, for seconds where nobody is there


@asynccontextmanager
async def processes(nats: NatsServer, count: int) -> AsyncIterator[list[Limiter]]:
    """Limiters as so many processes have them: each with a connection of its own."""
    async with AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(connected(nats.url)) for _ in range(count)]
        await reconcile(buses[0].jetstream, [toy_router()])
        limiters = [Limiter(SETTINGS, BudgetLedger(bus), process=str(number)) for number, bus in enumerate(buses)]
        try:
            yield limiters
        finally:
            for limiter in limiters:
                await limiter.close()


async def call(limiter: Limiter, identity: str) -> None:
    async with limiter.account("aws", identity, lambda _: API).turn("list", "us-east-1"):
        pass


async def until_told(limiter: Limiter, identity: str) -> None:
    driver = limiter.driver("aws", identity, "", API)
    while driver._telling is not None:
        await asyncio.sleep(0.005)


async def test_the_record_is_compared_and_set_and_every_attempt_is_heard(nats_server: NatsServer) -> None:
    async with connected(nats_server.url) as one, connected(nats_server.url) as other:
        await reconcile(one.jetstream, [toy_router()])
        mine, yours, key = BudgetLedger(one), BudgetLedger(other), budget_key("aws", "record", "", "x")
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        stop = await yours.follow(key, heard.put_nowait)
        await other.flush()
        assert await mine.read(key) == (None, 0)
        await mine.write(key, b"first", 0)
        with pytest.raises(Outdated):
            await yours.write(key, b"lost", 0)
        body, revision = await yours.read(key)
        assert body == b"first"
        await yours.write(key, b"second", revision)
        assert [await heard.get() for _ in range(3)] == [b"first", b"lost", b"second"]
        await stop()


async def test_a_ledger_without_a_connection_is_away() -> None:
    ledger = BudgetLedger(create_bus(BaseServiceSettings(), "costs"))
    for act in (ledger.read("a"), ledger.write("a", b"", 0), ledger.follow("a", lambda _: None)):
        with pytest.raises(Away):
            await act


async def test_two_processes_together_get_what_one_alone_would(nats_server: NatsServer) -> None:
    async with processes(nats_server, 2) as limiters:
        drivers = [each.driver("aws", "together", "", API) for each in limiters]
        busy = [asyncio.create_task(call(each, "together")) for each in limiters for _ in range(100)]
        await asyncio.sleep(0.5)
        shares = [driver._lane.share_per_s for driver in drivers]
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
    assert shares[0] == pytest.approx(shares[1], rel=0.05)
    assert sum(shares) <= drivers[0]._lane._view.estimate.rate_per_s * 1.05


async def test_what_one_process_learns_the_other_heeds_at_once(nats_server: NatsServer) -> None:
    async with processes(nats_server, 2) as limiters:
        for limiter in limiters:
            await call(limiter, "heed")
            await until_told(limiter, "heed")
        with pytest.raises(RateLimited):
            async with limiters[0].account("aws", "heed", lambda _: API).turn("list", "us-east-1"):
                raise RateLimited("Throttling", "no", provider="aws", operation="list", retry_after_s=100)
        other = limiters[1].driver("aws", "heed", "", API)
        async with asyncio.timeout(2):
            while other._lane.not_before_s < time.time() + 90:
                await asyncio.sleep(0.005)
        body, _ = await BudgetLedger(limiters[1]._ledger._bus).read(budget_key("aws", "heed", "", "calls"))
    record = read_record(body)
    assert record is not None
    assert record.estimate.cuts == 1


async def test_without_the_bus_a_process_goes_on_with_its_share_and_no_more(own_nats_server: Nats) -> None:
    async with processes(own_nats_server, 2) as limiters:
        busy = [asyncio.create_task(call(each, "away")) for each in limiters for _ in range(200)]
        drivers = [each.driver("aws", "away", "", API) for each in limiters]
        await asyncio.sleep(0.4)
        own_nats_server.kill()
        shares = [driver._lane.share_per_s for driver in drivers]
        await asyncio.sleep(1.3)
        done = sum(task.done() for task in busy)
        await asyncio.sleep(0.5)
        assert all(driver._away for driver in drivers)
        assert [driver._lane.share_per_s for driver in drivers] <= shares
        assert 0 < sum(task.done() for task in busy) - done <= 0.6 * sum(shares) + 4
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)

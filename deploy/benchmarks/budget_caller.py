"""One replica that calls the hidden limit: a huge scope, a small one, through the budget or with a number of workers.

`python -m deploy.benchmarks.budget_caller '<Orders as JSON>'` says `ready`, waits for a line, works for `seconds`, and
prints the seconds that each pass of the small scope took, as JSON.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop

from shared.bus.budgets import BudgetLedger
from shared.bus.connection import create_bus
from shared.clouds.budget.limiter import Limiter, in_background
from shared.clouds.budget.rate import Api
from shared.clouds.errors import RateLimited
from shared.clouds.settings import CloudSettings
from shared.kit.settings import BaseServiceSettings

PAGES = 20
PAUSE_S = 3.0
API = Api("calls")
Call = Callable[[str], Awaitable[None]]


@dataclass
class Orders:
    """`huge` chains of calls that never end, `small`: passes of PAGES calls one after the other, PAUSE_S apart.

    `nats_url` None: no budget; each chain repeats what was refused as AWS's SDKs do in their standard mode.
    """

    port: int
    seconds: float
    huge: int
    small: bool
    budget: str
    nats_url: str | None


class Connection:
    """Many calls at once over one socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[bool]] = {}

    async def listen(self) -> None:
        while line := await self._reader.readline():
            identifier, taken = line.split()
            waiter = self._waiting.pop(identifier.decode(), None)
            if waiter is not None and not waiter.done():
                waiter.set_result(taken == b"1")

    async def call(self, scope: str) -> None:
        """Raises RateLimited."""
        identifier = str(next(self._numbers))
        waiter = self._waiting[identifier] = asyncio.get_running_loop().create_future()
        self._writer.write(f"{identifier} {scope}\n".encode())
        if not await waiter:
            raise RateLimited("Throttling", "one too many", provider="aws", operation=scope)


def budgeted(connection: Connection, limiter: Limiter, budget: str) -> Call:
    account = limiter.account("aws", budget, lambda _: API)

    async def call(scope: str) -> None:
        while True:
            try:
                async with account.turn(scope, "us-east-1"):
                    return await connection.call(scope)
            except RateLimited:
                continue

    return call


def repeated(connection: Connection) -> Call:
    """Up to 20 s of exponential backoff with full jitter (botocore/retries/standard.py), and then for ever."""

    async def call(scope: str) -> None:
        attempt = 0
        while True:
            try:
                return await connection.call(scope)
            except RateLimited:
                await asyncio.sleep(min(20.0, 2.0**attempt) * random.random())
            attempt += 1

    return call


async def huge(call: Call) -> None:
    while True:
        await call("huge")


async def small(call: Call, took_s: list[float]) -> None:
    while True:
        await asyncio.sleep(PAUSE_S * random.uniform(0.8, 1.2))
        began_s = time.monotonic()
        for _ in range(PAGES):
            await call("small")
        took_s.append(time.monotonic() - began_s)


async def run(orders: Orders) -> list[float]:
    connection = Connection(*await asyncio.open_connection("127.0.0.1", orders.port))
    took_s: list[float] = []
    bus = limiter = None
    if orders.nats_url is None:
        call = repeated(connection)
    else:
        bus = create_bus(BaseServiceSettings(nats_url=orders.nats_url), "monitor")
        await bus.open()
        limiter = Limiter(CloudSettings(), BudgetLedger(bus))
        call = budgeted(connection, limiter, orders.budget)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    with in_background():
        tasks = [asyncio.create_task(huge(call)) for _ in range(orders.huge)]
        tasks += [asyncio.create_task(small(call, took_s))] if orders.small else []
    tasks.append(asyncio.create_task(connection.listen()))
    await asyncio.sleep(orders.seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if limiter is not None and bus is not None:
        await limiter.close()
        await bus.close()
    return took_s


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Orders(**json.loads(sys.argv[1]))))))

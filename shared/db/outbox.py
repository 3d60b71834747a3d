"""How do committed messages reach the bus? One relay per service, awake at commit, in order within an aggregate."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row

from shared.kit.cancellation import stop_if_cancelled
from shared.kit.telemetry import OUTBOX_PUBLISHED

Publish = Callable[[str, bytes, dict[str, str]], Awaitable[None]]
"""Subject, payload, headers; returns when the stream has stored it."""

BATCH = 500
BACKSTOP_S = 1.0

_SELECT = """
SELECT sequence, aggregate, subject, headers, payload FROM outbox
WHERE aggregate <> ALL(%(held)s) ORDER BY sequence LIMIT %(batch)s
"""

log = structlog.get_logger(__name__)


class Relay:
    """Publishes the outbox of one service. Any replica may run one; an advisory lock lets one work at a time."""

    def __init__(self, url: str, service: str, publish: Publish) -> None:
        self._url = url
        self._service = service
        self._publish = publish
        self._awake = asyncio.Event()
        self.is_leader = False
        self.until_calm: Callable[[], Awaitable[None]] = _at_once

    def wake(self) -> None:
        """A commit of this process left messages."""
        self._awake.set()

    async def run(self) -> None:
        """Relay until cancelled; a lost connection is opened again."""
        while True:
            try:
                await self._session()
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("outbox relay lost its connection", error=type(error).__name__)
            finally:
                self.is_leader = False
            await asyncio.sleep(BACKSTOP_S)

    async def _session(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, row_factory=dict_row, connect_timeout=5, application_name="canopy relay",
            keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
        )  # fmt: skip
        async with connection:
            await connection.execute(f"SET ROLE {self._service}_system".encode())
            while not await self._lead(connection):  # noqa: ASYNC110 - a lock of the database can only be asked for
                await asyncio.sleep(BACKSTOP_S)
            self.is_leader = True
            await connection.execute("LISTEN outbox")
            listener = asyncio.create_task(self._listen(connection))
            try:
                await self._relay()
            finally:
                listener.cancel()
                with suppress(asyncio.CancelledError, psycopg.Error):
                    await listener

    async def _lead(self, connection: psycopg.AsyncConnection[dict[str, Any]]) -> bool:
        name = f"canopy.outbox.{self._service}"
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtext(%s)) AS led", (name,))
        row = await cursor.fetchone()
        return bool(row and row["led"])

    async def _listen(self, connection: psycopg.AsyncConnection[dict[str, Any]]) -> None:
        """Notice commits of other replicas. The lock lives on this connection: when it is lost, so is the lead."""
        try:
            while True:
                async for _ in connection.notifies(timeout=5):
                    self._awake.set()
                await connection.execute("SELECT 1")
        finally:
            self.is_leader = False
            self._awake.set()

    async def _relay(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, row_factory=dict_row, connect_timeout=5, application_name="canopy relay"
        ) as connection:
            await connection.execute(f"SET ROLE {self._service}_system".encode())
            while self.is_leader:
                self._awake.clear()
                await self.until_calm()
                await self.drain(connection)
                stop_if_cancelled()
                with suppress(TimeoutError):
                    async with asyncio.timeout(BACKSTOP_S):
                        await self._awake.wait()

    async def drain(self, connection: psycopg.AsyncConnection[dict[str, Any]]) -> int:
        """Publish what is there, delete what the stream has stored. A failure holds back its own aggregate only."""
        held: set[str] = set()
        total = 0
        while True:
            cursor = await connection.execute(_SELECT, {"held": list(held), "batch": BATCH})
            rows = await cursor.fetchall()
            if not rows:
                return total
            lanes: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in rows:
                lanes[row["aggregate"]].append(row)
            results = await asyncio.gather(*(self._publish_lane(lane, held) for lane in lanes.values()))
            done = [sequence for lane in results for sequence in lane]
            OUTBOX_PUBLISHED.labels("stored").inc(len(done))
            OUTBOX_PUBLISHED.labels("held_back").inc(len(rows) - len(done))
            if done:
                await connection.execute("DELETE FROM outbox WHERE sequence = ANY(%s)", (done,))
            total += len(done)
            if len(rows) < BATCH:
                return total

    async def _publish_lane(self, lane: list[dict[str, Any]], held: set[str]) -> list[int]:
        done: list[int] = []
        for row in lane:
            try:
                await self._publish(row["subject"], bytes(row["payload"]), row["headers"])
            except Exception as error:  # noqa: BLE001 - every failure holds the aggregate back until the next round
                log.warning("publish failed", subject=row["subject"], error=f"{type(error).__name__}: {error}")
                held.add(row["aggregate"])
                break
            done.append(row["sequence"])
        return done


async def _at_once() -> None:
    """Where nobody waits for answers, messages leave as soon as they are committed."""

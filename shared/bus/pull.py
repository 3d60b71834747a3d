"""How are events fetched without lingering? A standing pull request: what has arrived is handed on at once.

FastStream's batch subscriber waits its whole `timeout` for a batch to fill; commit-to-handler under 10 ms forbids that
(ADR 0003). Here one pull request stands open, messages come as they are stored, and a batch is what is already there.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

import structlog
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.settle import give_back
from shared.kit.cancellation import stop_if_cancelled

EXPIRES_S = 30.0
HEARTBEAT_S = 2.0
CROWD, CROWD_S, GATHER_S = 8, 0.1, 0.02
"""More than CROWD small batches within CROWD_S: messages are gathered for GATHER_S before each further batch. A burst
is then worked off in far fewer transactions, and who is idle still hears of a commit at once."""
_NANOSECONDS = 1_000_000_000

log = structlog.get_logger(__name__)


class Pull:
    """A continuous pull on one durable consumer that exists already."""

    def __init__(self, bus: Bus, stream: str, durable: str, batch: int = 100) -> None:
        self._bus = bus
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._name = f"{stream}/{durable}"
        self._batch = batch
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._expected = 0
        self._small: deque[float] = deque(maxlen=CROWD)

    async def run(self, handle: Callable[[list[Msg]], Awaitable[None]]) -> None:
        """Hand on lists of up to `batch` messages until cancelled; survives reconnects and a deleted consumer.

        `handle` settles what it gets. What it could not finish when this replica stops is given back.
        """
        inbox = self._bus.client.new_inbox()
        subscription = await self._bus.client.subscribe(inbox, cb=self._arrived.put, pending_msgs_limit=-1)
        self._bus.reconnected.append(self._restart)
        messages: list[Msg] = []
        try:
            while True:
                await self._ask(inbox)
                if self._is_crowded():
                    await asyncio.sleep(GATHER_S)
                messages = await self._take()
                if messages:
                    self._note(len(messages))
                    await handle(messages)
                messages = []
                stop_if_cancelled()
        finally:
            self._bus.reconnected.remove(self._restart)
            with suppress(Exception):
                await subscription.unsubscribe()
            await give_back([*messages, *self._left()])

    def _is_crowded(self) -> bool:
        return len(self._small) == CROWD and monotonic() - self._small[0] < CROWD_S

    def _note(self, count: int) -> None:
        """Remember small batches; a large one shows that nothing has to be gathered."""
        if count > self._batch // 2:
            self._small.clear()
        else:
            self._small.append(monotonic())

    def _left(self) -> list[Msg]:
        """Messages that arrived and were not handed on."""
        left = [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        return [message for message in left if message is not None and message.data]

    def _restart(self) -> None:
        self._expected = 0
        self._arrived.put_nowait(None)

    async def _ask(self, inbox: str) -> None:
        if self._expected > self._batch // 2:
            return
        request = {
            "batch": self._batch,
            "expires": int(EXPIRES_S * _NANOSECONDS),
            "idle_heartbeat": int(HEARTBEAT_S * _NANOSECONDS),
        }
        self._expected += self._batch
        try:
            await self._bus.client.publish(self._subject, json.dumps(request).encode(), reply=inbox)
        except Exception as error:  # noqa: BLE001 - the connection is coming back; ask again then
            log.warning("pull request not sent", consumer=self._name, error=type(error).__name__)
            self._expected = 0
            await asyncio.sleep(0.5)

    async def _take(self) -> list[Msg]:
        """Wait for the first message, take what else has arrived."""
        try:
            async with asyncio.timeout(HEARTBEAT_S * 2.5):
                first = await self._arrived.get()
        except TimeoutError:
            self._expected = 0
            return []
        messages = [] if first is None else await self._sort(first)
        while len(messages) < self._batch and not self._arrived.empty():
            more = self._arrived.get_nowait()
            if more is not None:
                messages += await self._sort(more)
        return messages

    async def _sort(self, message: Msg) -> list[Msg]:
        """A message of the stream, or a status of the pull request itself."""
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            self._expected -= 1
            return [message]
        if status == "100":
            return []
        self._expected = 0
        if status not in {"404", "408"}:
            log.warning("pull refused", consumer=self._name, status=status,
                        description=(message.headers or {}).get("Description"))  # fmt: skip
            await asyncio.sleep(1)
        return []

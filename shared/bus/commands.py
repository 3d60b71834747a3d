"""How are commands done? FastStream pull subscribers on the service's work queue, one durable per command class.

FastStream brings the pull loop, the workers and the graceful stop; what a failure means is ours (failures.py), because
its own acknowledgement policies lose messages (research: a raising handler is terminated, or repeated within 50 ms).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage, PullSub
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.events import EventConsumer
from shared.bus.metrics import MetricsConsumer
from shared.bus.router import Router
from shared.bus.settle import acknowledge, give_back, settle_failure
from shared.db.journal import Journal
from shared.kit.errors import Reject
from shared.kit.telemetry import log_fields, message_span
from shared.messages.base import Command, Event, message_class
from shared.messages.subjects import command_stream, organization_of, original_subject, replay_pattern

REPLAY = "replay"
PULL_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


def durable_of(cls: type[Command]) -> str:
    """The durable of a command class in its owner's stream: `resource-provision-v1`."""
    return f"{cls.entity}-{cls.name}-v{cls.major}"


class CommandConsumer:
    """The command door of one service, and the door for dead letters brought back to it."""

    def __init__(
        self,
        bus: Bus,
        router: Router,
        deps: Any,
        journal: Journal | None,
        events: EventConsumer,
        metrics: MetricsConsumer,
        concurrency: int,
        ack_wait_s: float,
    ) -> None:
        self._bus = bus
        self._router = router
        self._deps = deps
        self._journal = journal
        self._events = events
        self._metrics = metrics
        self._beat_every_s = ack_wait_s / 3
        self._concurrency = concurrency
        self._at_work: set[asyncio.Task[None]] = set()

    def subscribe(self) -> None:
        """Add a subscriber per command class to the broker; it is started with the broker."""
        for cls in (*self._router.commands, *self._router.programs):
            self._add(cls.pattern(), durable_of(cls), self._concurrency)
        self._add(replay_pattern(self._router.service), REPLAY, 1)

    async def stop(self) -> None:
        """Cancel what is still at work, once: it gives its message and its lease back.

        FastStream's workers live in an anyio task group, which cancels again and again until they end; whoever is
        cleaning up in the database is then cut off in the middle, and psycopg's C code was seen to crash on the
        statement that was left suspended. So the work stands outside of it, behind a shield.
        """
        at_work = list(self._at_work)
        for work in at_work:
            work.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)

    def _add(self, pattern: str, durable: str, workers: int) -> None:
        async def raw(message: NatsMessage) -> bytes:
            return bytes(message.body)

        async def consume(message: NatsMessage) -> None:
            work = asyncio.create_task(self.receive(message.raw_message, pattern, durable))
            self._at_work.add(work)
            work.add_done_callback(self._at_work.discard)
            await asyncio.shield(work)

        subscriber = self._bus.broker.subscriber(
            pattern,
            durable=durable,
            stream=JStream(command_stream(self._router.service), declare=False),
            pull_sub=PullSub(batch_size=1, timeout=PULL_TIMEOUT_S),
            max_workers=workers,
            ack_policy=AckPolicy.MANUAL,
            decoder=raw,
            inbox_prefix=self._bus.inbox_prefix,
        )
        subscriber(consume)

    async def receive(self, message: Msg, pattern: str, durable: str) -> None:
        """Do one command and settle its message."""
        try:
            with message_span("command", pattern, message.headers):
                await self._dispatch(message, original_subject(self._router.service, message.subject))
        except asyncio.CancelledError:
            await give_back([message])
            raise
        except Exception as error:  # noqa: BLE001 - the table of failures decides
            await settle_failure(self._bus, self._router.service, durable, pattern, message, error)
        else:
            await acknowledge(message)

    async def _dispatch(self, message: Msg, subject: str) -> None:
        tokens = subject.split(".")
        kind, message_type = tokens[1], ".".join(tokens[3:6])
        cls = message_class(kind, message_type)
        if kind == "event" and cls is not None and issubclass(cls, Event):
            await self._events.replay(cls.from_bytes(message.data))
            return
        if kind == "metrics":
            await self._metrics.replay(message.data, subject)
            return
        if cls is None or not issubclass(cls, Command):
            raise Reject(f"no {kind} {message_type} is known here")
        command = cls.from_bytes(message.data)
        if str(command.organization) != organization_of(subject):
            raise Reject("the organization of the body is not the subject's")
        structlog.contextvars.bind_contextvars(**log_fields(command))  # a task of its own: also what is said of its end
        await self._do(command, message.in_progress)
        log.info("command done", command=message_type)

    async def _do(self, command: Command, still_working: Callable[[], Awaitable[None]]) -> None:
        program = self._router.programs.get(type(command))
        if program is not None and self._journal is not None:
            await self._journal.run(program, command, self._deps, still_working)
            return
        handler = self._router.commands.get(type(command))
        if handler is None:
            raise Reject(f"nobody here does {command.message_type()}")
        async with _beating(still_working, self._beat_every_s):
            await handler(command, self._deps)


@asynccontextmanager
async def _beating(still_working: Callable[[], Awaitable[None]], every_s: float) -> AsyncIterator[None]:
    """Keep the message from being delivered elsewhere while it is worked on here."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await still_working()
            except Exception as error:  # noqa: BLE001 - an outage must not end the heartbeat
                log.warning("heartbeat failed", error=type(error).__name__)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart

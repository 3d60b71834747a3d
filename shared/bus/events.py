"""How does a service react to events? One durable, in batches: one transaction for up to 100 events and their inbox.

The fast way applies a whole batch in one transaction. When one event of it fails, the batch is rolled back and applied
again event by event, so that the failing one alone is retried or buried.
"""

import asyncio
from typing import Any

import structlog
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.pull import Pull
from shared.bus.router import Router
from shared.bus.settle import acknowledge, settle_failure
from shared.db.engine import Database
from shared.db.inbox import first_seen
from shared.db.work import Work
from shared.kit.errors import Reject
from shared.kit.telemetry import logged_for, message_span
from shared.messages.base import Event
from shared.messages.context import Context
from shared.messages.subjects import EVENTS_STREAM, organization_of, original_subject

log = structlog.get_logger(__name__)


class EventConsumer:
    """The event door of one service."""

    def __init__(self, bus: Bus, router: Router, deps: Any, database: Database) -> None:
        self._bus = bus
        self._router = router
        self._deps = deps
        self._database = database
        self._handlers = {cls.message_type(): (cls, handler) for cls, handler in router.events.items()}

    async def run(self) -> None:
        """Consume until cancelled."""
        await Pull(self._bus, EVENTS_STREAM, self._router.service).run(self.consume)

    async def consume(self, messages: list[Msg]) -> None:
        """Apply a batch and settle each of its messages."""
        read = [await self._read(message) for message in messages]
        known = [item for item in read if item is not None]
        if not known:
            return
        try:
            with message_span("events", self._router.service, None):
                await self._apply_all(known)
        except Exception as error:  # noqa: BLE001 - the table of failures decides, event by event
            if len(known) > 1:
                await self._apply_each(known)
            else:
                await self._fail(known[0], error)
            return
        await asyncio.gather(*(acknowledge(message) for message, _ in known))

    async def replay(self, event: Event) -> None:
        """Apply a dead letter that was brought back. Raises what its handler raises."""
        async with self._database.work(Context.background()) as work:
            if await first_seen(work, {event.id}, self._router.service):
                await self._apply(work, event)

    async def _apply_all(self, known: list[tuple[Msg, Event]]) -> None:
        async with self._database.work(Context.background()) as work:
            fresh = await first_seen(work, {event.id for _, event in known}, self._router.service)
            for message, event in known:
                if event.id in fresh:
                    fresh.discard(event.id)
                    # In the trace of its sender, whatever else is in the batch: what the handler emits goes on in it.
                    with message_span("event", type(event).pattern(), message.headers):
                        await self._apply(work, event)

    async def _apply_each(self, known: list[tuple[Msg, Event]]) -> None:
        """One transaction each: slower, but each event meets its own fate."""
        for item in known:
            try:
                await self._apply_all([item])
            except Exception as error:  # noqa: BLE001 - the table of failures decides
                await self._fail(item, error)
            else:
                await acknowledge(item[0])

    async def _apply(self, work: Work, event: Event) -> None:
        known = self._handlers.get(event.message_type())
        if known is None:
            raise Reject(f"{self._router.service} handles no {event.message_type()}")
        handler = known[1]
        work.context = Context.of(event)
        with logged_for(event):
            await handler(event, work, self._deps)

    async def _fail(self, item: tuple[Msg, Event], error: BaseException) -> None:
        message, event = item
        with logged_for(event):
            await settle_failure(
                self._bus, self._router.service, self._router.service, type(event).pattern(), message, error
            )

    async def _read(self, message: Msg) -> tuple[Msg, Event] | None:
        """The event of a message; one that cannot be read is buried, one nobody handles any more is acknowledged."""
        subject = original_subject(self._router.service, message.subject)
        tokens = subject.split(".")
        handled = self._handlers.get(".".join(tokens[3:6]))
        if handled is None:
            await acknowledge(message)
            return None
        cls = handled[0]
        try:
            event = cls.from_bytes(message.data)
            if str(event.organization) != organization_of(subject):
                raise Reject("the organization of the body is not the subject's")
        except Exception as error:  # noqa: BLE001 - unreadable is final, whatever the reason
            failure = Reject(str(type(error).__name__)) if not isinstance(error, ValueError | Reject) else error
            await settle_failure(self._bus, self._router.service, self._router.service, cls.pattern(), message, failure)
            return None
        return message, event

"""How are requests answered? Plain nats-py subscriptions in the owner's queue group (ADR 0002: four times less CPU).

Every request gets an answer: a result, or a problem, also for a body that does not fit and for what nobody expected.
"""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import ValidationError

from shared.bus.connection import Bus
from shared.bus.failures import is_connectivity
from shared.bus.replies import STATUS, Reply, invalid, problem, result
from shared.bus.router import RequestHandler, Router
from shared.db.idempotency import Replayed
from shared.kit.errors import CanopyError, InvalidInput, Unavailable
from shared.kit.telemetry import logged_for, message_span
from shared.messages.base import Request
from shared.messages.subjects import organization_of

CALM, CALM_WITHIN_S = 16, 0.6

log = structlog.get_logger(__name__)


class Responder:
    """Answers the requests of one service; replicas share them."""

    def __init__(self, bus: Bus, router: Router, deps: Any, concurrency: int) -> None:
        self._bus = bus
        self._router = router
        self._deps = deps
        self._places = asyncio.Semaphore(concurrency)
        self._waiting_allowed = concurrency * 8
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        for cls, handler in self._router.requests.items():
            self._subscriptions.append(await self._subscribe(cls, handler))
        await self._bus.flush()  # who is told "started" may ask at once

    async def stop(self) -> None:
        """Take no more requests, finish those that came."""
        for subscription in self._subscriptions:
            await subscription.drain()  # type: ignore[no-untyped-call]
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def until_calm(self) -> None:
        """Return when few requests are being answered, after CALM_WITHIN_S at the latest.

        For work that can wait a moment, when somebody waits for answers: a burst of acceptances is answered before what
        was accepted begins (a hundred at once: measured in docs/benchmarks.md).
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_WITHIN_S):
                while len(self._tasks) > CALM:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _subscribe(self, cls: type[Request], handler: RequestHandler) -> Subscription:
        async def receive(message: Msg) -> None:
            if len(self._tasks) >= self._waiting_allowed:
                await self._send(message, problem(Unavailable("too many requests are waiting", retry_after_s=1)))
                return
            task = asyncio.create_task(self._respond(message, cls, handler))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return await self._bus.client.subscribe(cls.pattern(), queue=self._router.service, cb=receive)

    async def _respond(self, message: Msg, cls: type[Request], handler: RequestHandler) -> None:
        async with self._places:
            reply = await self._answer(message, cls, handler)
        await self._send(message, reply)

    async def _answer(self, message: Msg, cls: type[Request], handler: RequestHandler) -> Reply:
        try:
            with message_span("request", cls.pattern(), message.headers):
                request = cls.from_bytes(message.data)
                if str(request.organization) != organization_of(message.subject):
                    raise InvalidInput("the organization of the body is not the subject's")
                with logged_for(request):
                    return result(await handler(request, self._deps))
        except Replayed as repeat:
            return Reply(repeat.reply)
        except CanopyError as error:
            return problem(error)
        except ValidationError as error:
            return problem(invalid(error))
        except Exception as error:
            if is_connectivity(error):
                log.warning("request met an outage", pattern=cls.pattern(), error=type(error).__name__)
                return problem(Unavailable(f"{self._router.service} cannot reach its database", retry_after_s=2))
            log.exception("request failed", pattern=cls.pattern())
            return problem(CanopyError("an unexpected error; it has been logged"))

    async def _send(self, message: Msg, reply: Reply) -> None:
        if message.reply:
            headers = {**reply.headers, STATUS: str(reply.status)} if reply.status != 200 else reply.headers
            await self._bus.client.publish(message.reply, reply.body, headers=headers or None)

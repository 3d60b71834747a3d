"""How are metric batches consumed? FastStream's batch subscriber on METRICS: many messages, one COPY, one settlement.

A message that cannot be decoded is buried before the rest goes on: one bad message must not fail a batch for ever.
"""

import asyncio
from typing import Any, cast

import msgspec
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage, PullSub
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.router import Router
from shared.bus.settle import acknowledge, settle_failure
from shared.kit.errors import Reject
from shared.messages.metrics import DECODER, MetricBatch
from shared.messages.subjects import ALL_METRICS, METRICS_STREAM, organization_of
from shared.runtime.telemetry import message_span

LINGER_S = 0.1
BATCH = 50

log = structlog.get_logger(__name__)


class MetricsConsumer:
    """The metrics door of one service; replicas share the batches."""

    def __init__(self, bus: Bus, router: Router, deps: Any) -> None:
        self._bus = bus
        self._router = router
        self._deps = deps

    def subscribe(self) -> None:
        """Add the batch subscriber to the broker when the service takes metrics."""
        if self._router.metrics is None:
            return

        async def raw(_: NatsMessage) -> list[bytes]:
            return []

        async def consume(message: NatsMessage) -> None:
            await self.receive(cast("list[Msg]", message.raw_message))

        subscriber = self._bus.broker.subscriber(
            ALL_METRICS,
            durable=self._router.service,
            stream=JStream(METRICS_STREAM, declare=False),
            pull_sub=PullSub(batch_size=BATCH, timeout=LINGER_S, batch=True),
            ack_policy=AckPolicy.MANUAL,
            decoder=raw,
            inbox_prefix=self._bus.inbox_prefix,
        )
        subscriber(consume)

    async def receive(self, messages: list[Msg]) -> None:
        """Hand the readable batches to the handler together, and settle every message."""
        read = [(message, await self._read(message)) for message in messages]
        good = [(message, batch) for message, batch in read if batch is not None]
        if not good or self._router.metrics is None:
            return
        try:
            with message_span("metrics", ALL_METRICS, None):
                await self._router.metrics([batch for _, batch in good], self._deps)
        except Exception as error:  # noqa: BLE001 - the table of failures decides
            for message, _ in good:
                await self._fail(message, error)
            return
        await asyncio.gather(*(acknowledge(message) for message, _ in good))

    async def _read(self, message: Msg) -> MetricBatch | None:
        try:
            batch = DECODER.decode(message.data)
            if str(batch.organization) != organization_of(message.subject):
                raise Reject("the organization of the body is not the subject's")
        except (msgspec.DecodeError, Reject) as error:
            await self._fail(message, Reject(f"{type(error).__name__}: {error}"))
            return None
        return batch

    async def _fail(self, message: Msg, error: Exception) -> None:
        await settle_failure(self._bus, self._router.service, self._router.service, ALL_METRICS, message, error)

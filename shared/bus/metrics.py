"""How are metric batches consumed? What has arrived is taken together: many messages, one COPY, one settlement.

FastStream's batch subscriber lingers for each batch, and a message that arrived as its fetch ended was seen again only
after `ack_wait`: an alert a minute late (ADR 0003 has the same reason for events).

A message that cannot be decoded is buried before the rest goes on, and when the handler fails they are handed on one by
one: one bad message must not fail the others, which are other organizations', for ever.
"""

import asyncio
from typing import Any

import msgspec
import structlog
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.failures import is_connectivity
from shared.bus.pull import Pull
from shared.bus.router import Router
from shared.bus.settle import acknowledge, settle_failure
from shared.kit.errors import Reject
from shared.kit.telemetry import message_span
from shared.messages.metrics import DECODER, MetricBatch
from shared.messages.subjects import ALL_METRICS, METRICS_STREAM, organization_of

BATCH = 50

log = structlog.get_logger(__name__)


class MetricsConsumer:
    """The metrics door of one service; replicas share the batches."""

    def __init__(self, bus: Bus, router: Router, deps: Any) -> None:
        self._bus = bus
        self._router = router
        self._deps = deps

    async def run(self) -> None:
        """Consume until cancelled; nothing when the service takes no metrics."""
        if self._router.metrics is None:
            return
        await Pull(self._bus, METRICS_STREAM, self._router.service, BATCH).run(self.receive)

    async def receive(self, messages: list[Msg]) -> None:
        """Hand the readable batches to the handler together, and settle every message."""
        read = [(message, await self._read(message)) for message in messages]
        good = [(message, batch) for message, batch in read if batch is not None]
        if not good or self._router.metrics is None:
            return
        try:
            await self._hand_on([batch for _, batch in good])
        except Exception as error:  # noqa: BLE001 - the table of failures decides, batch by batch
            if len(good) > 1 and not is_connectivity(error):
                await self._hand_on_each(good)
            else:
                await asyncio.gather(*(self._fail(message, error) for message, _ in good))
            return
        await asyncio.gather(*(acknowledge(message) for message, _ in good))

    async def _hand_on(self, batches: list[MetricBatch]) -> None:
        assert self._router.metrics is not None
        with message_span("metrics", ALL_METRICS, None):
            await self._router.metrics(batches, self._deps)

    async def _hand_on_each(self, good: list[tuple[Msg, MetricBatch]]) -> None:
        """Slower, but each organization's batch meets its own fate."""
        for message, batch in good:
            try:
                await self._hand_on([batch])
            except Exception as error:  # noqa: BLE001 - the table of failures decides
                await self._fail(message, error)
            else:
                await acknowledge(message)

    async def replay(self, body: bytes, subject: str) -> None:
        """Take a dead letter that was brought back. Raises Reject, and what the handler raises."""
        if self._router.metrics is None:
            raise Reject(f"{self._router.service} takes no metrics")
        await self._router.metrics([_decode(body, subject)], self._deps)

    async def _read(self, message: Msg) -> MetricBatch | None:
        try:
            return _decode(message.data, message.subject)
        except Reject as error:
            await self._fail(message, error)
            return None

    async def _fail(self, message: Msg, error: Exception) -> None:
        await settle_failure(self._bus, self._router.service, self._router.service, ALL_METRICS, message, error)


def _decode(body: bytes, subject: str) -> MetricBatch:
    """Raises Reject for what is no batch, or not of the subject's organization."""
    try:
        batch = DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise Reject(f"{type(error).__name__}: {error}") from error
    if str(batch.organization) != organization_of(subject):
        raise Reject("the organization of the body is not the subject's")
    return batch

"""How does a stream message end? Acknowledged, delivered again later, or buried (dead letter first, then the ack)."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.failures import Again, Dead, describe, verdict
from shared.kit.telemetry import DEAD_LETTERS
from shared.messages.subjects import dead_subject, original_subject

log = structlog.get_logger(__name__)

ERROR_HEADER = "Canopy-Error"
ATTEMPTS_HEADER = "Canopy-Attempts"
CONSUMER_HEADER = "Canopy-Consumer"


async def acknowledge(message: Msg) -> None:
    """Say it is done. When that cannot be sent the message comes again, and the inbox knows it."""
    try:
        await message.ack()
    except Exception as error:  # noqa: BLE001 - redelivery is the answer to a lost acknowledgement
        log.warning("acknowledgement lost", subject=message.subject, error=type(error).__name__)


async def give_back(messages: Iterable[Msg]) -> None:
    """This replica stops: let others have the messages at once instead of after `ack_wait`."""
    with suppress(Exception):
        await asyncio.gather(*(message.nak() for message in messages))


async def settle_failure(
    bus: Bus, service: str, consumer: str, pattern: str, message: Msg, error: BaseException
) -> None:
    """Apply the table of failures.py. A dead letter that cannot be stored leaves the message where it is."""
    attempt = message.metadata.num_delivered or 1
    decision = verdict(error, attempt)
    try:
        if isinstance(decision, Again):
            log.info("again later", pattern=pattern, delay_s=decision.delay_s, attempt=attempt, error=describe(error))
            await message.nak(delay=decision.delay_s)
            return
        await _bury(bus, service, consumer, message, decision, attempt)
        DEAD_LETTERS.labels(pattern).inc()
        log.error("dead letter", pattern=pattern, subject=message.subject, reason=decision.reason, exc_info=error)
        await message.ack()
    except Exception as failure:  # noqa: BLE001 - not settled: it is delivered again after ack_wait
        log.warning("message not settled", subject=message.subject, error=type(failure).__name__)


async def _bury(bus: Bus, service: str, consumer: str, message: Msg, decision: Dead, attempt: int) -> None:
    metadata = message.metadata
    headers = {key: value for key, value in (message.headers or {}).items() if not key.startswith("Nats-")}
    headers |= {
        "Nats-Msg-Id": f"dead:{consumer}:{metadata.stream}:{metadata.sequence.stream}",
        ERROR_HEADER: decision.reason.replace("\n", " ").replace("\r", " "),
        ATTEMPTS_HEADER: str(attempt),
        CONSUMER_HEADER: consumer,
    }
    await bus.publish(dead_subject(service, original_subject(service, message.subject)), message.data, headers)

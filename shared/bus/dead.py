"""What could not be processed, and how does it come back? Dead letters: list, show, replay to the one who failed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, RawStreamMsg

from shared.bus.settle import ATTEMPTS_HEADER, ERROR_HEADER
from shared.messages.subjects import ALL_DEAD, DEAD_STREAM, dead_pattern, original_subject, replay_subject


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was set aside; `sequence` identifies it in the stream DEAD."""

    sequence: int
    service: str
    subject: str
    reason: str
    attempts: int
    time: datetime | None
    body: bytes
    headers: dict[str, str]


async def dead_letters(jetstream: JetStreamContext, service: str | None = None) -> AsyncIterator[DeadLetter]:
    """All dead letters, oldest first, of one service or of all."""
    pattern = dead_pattern(service) if service else ALL_DEAD
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, inactive_threshold=30)
    pull = await jetstream.pull_subscribe(pattern, stream=DEAD_STREAM, config=config)
    try:
        while True:
            try:
                messages = await pull.fetch(100, timeout=0.3)
            except (NatsTimeoutError, TimeoutError):
                return
            for message in messages:
                metadata = message.metadata
                sequence = metadata.sequence.stream
                yield _letter(sequence, message.subject, message.data, dict(message.headers or {}), metadata.timestamp)
    finally:
        await pull.unsubscribe()


async def dead_letter(jetstream: JetStreamContext, sequence: int) -> DeadLetter:
    """Raises nats.js.errors.NotFoundError."""
    raw: RawStreamMsg = await jetstream.get_msg(DEAD_STREAM, sequence)
    return _letter(sequence, raw.subject or "", raw.data or b"", dict(raw.headers or {}), None)


async def replay(jetstream: JetStreamContext, letter: DeadLetter) -> None:
    """Bring a dead letter back to the service that failed, and take it from the dead."""
    headers = {key: value for key, value in letter.headers.items() if not key.startswith(("Nats-", "Canopy-"))}
    headers["Nats-Msg-Id"] = f"replay:{letter.sequence}"
    await jetstream.publish(replay_subject(letter.service, letter.subject), letter.body, timeout=5, headers=headers)
    await jetstream.delete_msg(DEAD_STREAM, letter.sequence)


def _letter(sequence: int, subject: str, body: bytes, headers: dict[str, str], time: datetime | None) -> DeadLetter:
    service = subject.split(".")[2]
    attempts = headers.get(ATTEMPTS_HEADER, "")
    return DeadLetter(
        sequence=sequence,
        service=service,
        subject=original_subject(service, subject),
        reason=headers.get(ERROR_HEADER, ""),
        attempts=int(attempts) if attempts.isdecimal() else 0,  # whoever may publish here may write anything
        time=time,
        body=body,
        headers=headers,
    )

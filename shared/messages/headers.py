"""Which headers does a message carry? The broker's deduplication id and CloudEvents 1.0 in binary mode."""

from shared.messages.base import Message


def message_headers(message: Message, source: str) -> dict[str, str]:
    """`Nats-Msg-Id` and the CloudEvents attributes; `source` is the emitting service."""
    return {
        "Nats-Msg-Id": str(message.id),
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": str(message.id),
        "ce-type": message.message_type(),
        "ce-source": f"/canopy/{source}",
        "ce-time": message.time.isoformat(),
    }

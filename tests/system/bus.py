"""How does a system test look at the bus itself? As a stranger of one organization, whose rights are least."""

import asyncio
import json
from typing import Any
from uuid import UUID

import nats
from nats.js.api import ConsumerConfig

from deploy.local.stack import Stack
from shared.messages.subjects import EVENTS_STREAM, stranger_pattern

BATCH = 100


def told(stack: Stack, organization: UUID) -> list[dict[str, Any]]:
    """Every event of an organization that the stream holds, in its order."""
    name = f"auditor_{organization.hex[-12:]}"
    return asyncio.run(_read_all(stack.add_stranger(name, organization), name, organization))


async def _read_all(known: dict[str, str], name: str, organization: UUID) -> list[dict[str, Any]]:
    connection = await nats.connect(
        known["CANOPY_NATS_URL"],
        user=known["CANOPY_NATS_USER"],
        password=known["CANOPY_NATS_PASSWORD"],
        inbox_prefix=f"_INBOX.{name}",
    )
    try:
        jetstream = connection.jetstream()
        config = ConsumerConfig(name=name, durable_name=name, filter_subject=stranger_pattern(organization))
        waiting = (await jetstream.add_consumer(EVENTS_STREAM, config)).num_pending or 0
        events = await jetstream.pull_subscribe_bind(name, EVENTS_STREAM)
        found: list[dict[str, Any]] = []
        while len(found) < waiting:
            for message in await events.fetch(min(BATCH, waiting - len(found))):
                await message.ack()
                found.append(json.loads(message.data))
        return found
    finally:
        await connection.close()

"""Do the stream, the tables and the audit log agree? No event lost, none applied twice, nothing left half done."""

import asyncio
import json
from collections import defaultdict
from typing import Any
from uuid import UUID

import nats
import psycopg
from nats.js.api import ConsumerConfig

from deploy.local.stack import Stack
from shared.bus.connection import create_bus
from shared.bus.dead import dead_letters
from shared.kit.settings import BaseServiceSettings
from shared.messages.subjects import EVENTS_STREAM, stranger_pattern

BATCH = 200
JOURNALS = ("provisioner", "recovery")
PROJECTIONS = ("monitor", "costs", "recovery")

_VERSIONS = "SELECT id, version FROM {table} WHERE organization_id = %s"
_UNFINISHED = "SELECT count(*) FROM saga WHERE finished_at IS NULL"
_WAITING = "SELECT count(*) FROM outbox"
_TRANSITIONS = """
SELECT resource_id, count(*), max(version) FROM transition WHERE organization_id = %s
GROUP BY resource_id HAVING count(*) <> max(version)
"""
_DAYS = """
SELECT day FROM (SELECT day, sum(amount) AS amount FROM cloud_costs WHERE organization_id = %s GROUP BY day) AS each
FULL JOIN (SELECT day, sum(amount) AS amount FROM daily_cost WHERE organization_id = %s GROUP BY day) AS kept
USING (day) WHERE coalesce(each.amount, 0) <> coalesce(kept.amount, 0)
"""


class Records:
    """What the services of a stack have stored about one organization."""

    def __init__(self, stack: Stack, organization: UUID) -> None:
        self._stack = stack
        self._organization = organization

    def unsettled(self) -> list[str]:
        """What is still on its way: sagas without an end, messages in an outbox, projections behind their source."""
        found = [
            f"{count} sagas of {service} have no end"
            for service in JOURNALS
            if (count := self._ask(service, _UNFINISHED)[0][0])
        ]
        found += [
            f"{count} messages wait in the outbox of {service}"
            for service in ("gateway", "provisioner", *PROJECTIONS)
            if (count := self._ask(service, _WAITING)[0][0])
        ]
        truth = self._versions("provisioner", "cloud_resources")
        for service in PROJECTIONS:
            known = self._versions(service, "known_resource")
            behind = [str(each) for each, version in truth.items() if known.get(each) != version]
            found += [f"{service} does not know the last state of {each}" for each in behind]
        return found

    def wrong(self, events: list[dict[str, Any]]) -> list[str]:
        """What no waiting will mend."""
        truth = self._versions("provisioner", "cloud_resources")
        return [
            *compare_events(events, {str(each): version for each, version in truth.items()}),
            *(
                f"costs knows {count} of {version} states of {resource}"
                for resource, count, version in self._ask("costs", _TRANSITIONS, self._organization)
            ),
            *(
                f"the costs of {day} are not the sum of their parts"
                for (day,) in self._ask("costs", _DAYS, self._organization, self._organization)
            ),
            *(f"dead letter: {reason}" for reason in self._dead_letters()),
        ]

    def events(self, reader: str) -> list[dict[str, Any]]:
        """Every event of the organization that the stream holds, in its order; `reader` names a new NATS user."""
        return asyncio.run(self._read(self._stack.add_stranger(reader, self._organization), reader))

    def _versions(self, service: str, table: str) -> dict[UUID, int]:
        return dict(self._ask(service, _VERSIONS.format(table=table), self._organization))

    def _ask(self, service: str, statement: str, *values: Any) -> list[Any]:
        url = self._stack.environment_of(service)["CANOPY_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"SET ROLE {service}_system".encode())
            return connection.execute(statement.encode(), values).fetchall()

    def _dead_letters(self) -> list[str]:
        async def read() -> list[str]:
            known = self._stack.nats_environment("operator")
            settings = BaseServiceSettings(
                nats_url=known["CANOPY_NATS_URL"], nats_user="operator", nats_password=known["CANOPY_NATS_PASSWORD"]
            )
            bus = create_bus(settings, "operator")
            await bus.open()
            try:
                return [f"{letter.subject}: {letter.reason}" async for letter in dead_letters(bus.jetstream)]
            finally:
                await bus.close()

        return asyncio.run(read())

    async def _read(self, known: dict[str, str], name: str) -> list[dict[str, Any]]:
        connection = await nats.connect(
            known["CANOPY_NATS_URL"], user=name, password=known["CANOPY_NATS_PASSWORD"], inbox_prefix=f"_INBOX.{name}"
        )
        try:
            jetstream = connection.jetstream()
            pattern = stranger_pattern(self._organization)
            config = ConsumerConfig(name=name, durable_name=name, filter_subject=pattern)
            waiting = (await jetstream.add_consumer(EVENTS_STREAM, config)).num_pending or 0
            pull = await jetstream.pull_subscribe_bind(name, EVENTS_STREAM)
            found: list[dict[str, Any]] = []
            while len(found) < waiting:
                for message in await pull.fetch(min(BATCH, waiting - len(found)), timeout=10):
                    await message.ack()
                    found.append(json.loads(message.data))
            return found
        finally:
            await connection.close()


def compare_events(events: list[dict[str, Any]], truth: dict[str, int]) -> list[str]:
    """Each version of each resource was told once and in order, up to the last one; `truth` is resource -> version."""
    told: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["aggregate_id"] in truth and isinstance(event.get("resource"), dict):
            told[event["aggregate_id"]].append(event["aggregate_version"])
    ids = [event["id"] for event in events]
    wrong = [] if len(ids) == len(set(ids)) else [f"{len(ids) - len(set(ids))} events are in the stream twice"]
    return wrong + [
        f"resource {each}, version {version}: told were {told[each]}"
        for each, version in truth.items()
        if told[each] != list(range(1, version + 1))
    ]

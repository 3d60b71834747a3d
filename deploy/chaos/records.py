"""Do the stream, the tables and the audit log agree? No event lost, none applied twice, nothing left half done."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True)
class Noun:
    """What has events that carry it whole: where its versions are kept, and the events' field that holds it."""

    name: str
    service: str
    table: str
    field: str
    is_gapless: bool = True
    """Whether each version is told. A lease or a mark (`deleting`) counts a version that is nobody else's business."""


NOUNS = (
    Noun("provider", "provisioner", "cloud_providers", "provider"),
    Noun("resource", "provisioner", "cloud_resources", "resource"),
    Noun("operation", "provisioner", "saga", "operation", is_gapless=False),
    Noun("operation", "recovery", "saga", "operation", is_gapless=False),
    Noun("alert", "monitor", "alert", "alert"),
    Noun("channel", "monitor", "channel", "channel"),
    Noun("notification", "monitor", "delivery", "delivery", is_gapless=False),
    Noun("plan", "recovery", "disaster_recovery_plans", "plan"),
    Noun("backup", "recovery", "backup_executions", "backup", is_gapless=False),
    Noun("drill", "recovery", "dr_test_executions", "drill"),
)
BATCH = 200
JOURNALS = ("provisioner", "recovery")
PROJECTIONS = ("monitor", "costs", "recovery")

_VERSIONS = "SELECT id, version FROM {table} WHERE organization_id = %s"
_TOKENS = "SELECT id, creation_token FROM cloud_resources WHERE organization_id = %s"
_UNFINISHED = "SELECT count(*) FROM saga WHERE finished_at IS NULL"
_WAITING = "SELECT count(*) FROM outbox"
_TRANSITIONS = """
SELECT resource_id, count(*), max(version) FROM transition WHERE organization_id = %s
GROUP BY resource_id HAVING count(*) <> max(version)
"""
_CROSSINGS = """
SELECT budget_id, revision, period_start, basis, threshold_percent FROM budget_crossings WHERE organization_id = %s
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
        shown = self._versions("gateway", "operations")
        for service in JOURNALS:
            found += [
                f"the gateway does not know the last state of the operation {each}"
                for each, version in self._versions(service, "saga").items()
                if shown.get(each) != version
            ]
        return found

    def wrong(self, events: list[dict[str, Any]]) -> list[str]:
        """What no waiting will mend."""
        ids = [event["id"] for event in events]
        return [
            *([f"{len(ids) - len(set(ids))} events are in the stream twice"] if len(ids) > len(set(ids)) else []),
            *(line for noun in NOUNS for line in compare_events(events, noun, self._truth(noun))),
            *compare_crossings(events, self._ask("costs", _CROSSINGS, self._organization)),
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

    def tokens(self) -> dict[str, str | None]:
        """Under which token each resource was last tried to be made, by its id."""
        return {str(each): token for each, token in self._ask("provisioner", _TOKENS, self._organization)}

    def _truth(self, noun: Noun) -> dict[str, int]:
        return {str(each): version for each, version in self._versions(noun.service, noun.table).items()}

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


def compare_events(events: Sequence[Mapping[str, Any]], noun: Noun, truth: Mapping[str, int]) -> list[str]:
    """Each version of each of these things was told once and in order, up to the last one; `truth` is id -> version."""
    told: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["type"].startswith(f"{noun.name}.") and event["aggregate_id"] in truth and noun.field in event:
            told[event["aggregate_id"]].append(event["aggregate_version"])
    return [
        f"{noun.name} {each}, version {version}: told were {told[each]}"
        for each, version in truth.items()
        if not (
            told[each] == list(range(1, version + 1))
            if noun.is_gapless
            else told[each][-1:] == [version] and told[each] == sorted(set(told[each]))
        )
    ]


def compare_crossings(events: Sequence[Mapping[str, Any]], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Each crossed threshold of a budget was told once; rows are budget, revision, period start, basis, per cent."""
    told = Counter(
        (event["budget_id"], event["revision"], datetime.fromisoformat(event["period_start"]), event["basis"],
         float(event["threshold_percent"]))
        for event in events
        if event["type"].startswith("budget.exceeded.")
    )  # fmt: skip
    kept = Counter((str(row[0]), row[1], row[2], row[3], float(row[4])) for row in rows)
    wrong = (told - kept) + (kept - told)
    return [f"crossing {crossing}: told {told[crossing]} times, kept {kept[crossing]} times" for crossing in wrong]

"""How does a test get a running monitor, a running notifier, resources and batches?"""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.monitor.deps import Deps
from services.monitor.main import build
from services.monitor.settings import Settings
from shared.db.journal import Journal, JournalSettings
from shared.kit.ids import new_id
from shared.messages.alert_rules import Condition, CreateAlertRule
from shared.messages.context import Context
from shared.messages.metrics import ENCODER, MetricBatch, Sample
from shared.messages.providers import Provider, ProviderAdded
from shared.messages.resources import Resource, ResourceStarted
from shared.messages.subjects import metrics_subject
from shared.runtime.process import Foundation
from tests.fixtures.services import Services, context, mutation


def key_ring(primary: str, *others: str) -> str:
    """CANOPY_KEY_RING with these keys."""
    keys = {name: base64.b64encode(name.encode().ljust(32, b"k")).decode() for name in (primary, *others)}
    return json.dumps({"primary": primary, "keys": keys})


KEY_RING = key_ring("k1")


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class StandingClock:
    """Says what it is told."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass
class Fleet:
    """One organization with one account; makes resources and says what was measured of them."""

    services: Services
    organization: UUID = field(default_factory=new_id)
    provider_id: UUID = field(default_factory=new_id)
    region: str = "us-east-1"
    period_s: int = 60

    @property
    def context(self) -> Context:
        return context(self.organization)

    def about(self, aggregate_id: UUID, version: int) -> dict[str, Any]:
        return dict(self.context.about(aggregate_id, version, now()))

    def provider(self, version: int = 1, **changes: Any) -> Provider:
        values = {
            "id": self.provider_id, "organization_id": self.organization, "provider_name": "aws",
            "provider_type": "primary", "display_name": "AWS", "regions": [self.region], "created_at": now(),
            "updated_at": now(), "version": version, "metrics_period_s": self.period_s, **changes,
        }  # fmt: skip
        return Provider.model_validate(values)

    def resource(self, resource_id: UUID | None = None, version: int = 1, **changes: Any) -> Resource:
        values = {
            "id": resource_id or new_id(), "organization_id": self.organization, "provider_id": self.provider_id,
            "provider_name": "aws", "region": self.region, "resource_id": f"i-{new_id().hex[-17:]}",
            "resource_name": "web-1", "resource_type": "compute", "resource_subtype": "ec2_instance",
            "resource_status": "running", "environment": "production", "project": "shop", "tags": {"env": "prod"},
            "created_at": now() - timedelta(days=1), "updated_at": now(), "version": version, **changes,
        }  # fmt: skip
        return Resource.model_validate(values)

    async def add(self, *resources: Resource) -> None:
        """Say the provider and the resources, and wait until monitor knows them."""
        provider = self.provider()
        await self.services.publish(ProviderAdded(**self.about(provider.id, 1), provider=provider))
        for each in resources:
            await self.services.publish(ResourceStarted(**self.about(each.id, each.version), resource=each))
        await self.rows("SELECT 1 FROM known_resource", lambda rows: len(rows) >= len(resources))

    async def measure(self, *samples: Sample, batch_id: UUID | None = None) -> MetricBatch:
        batch = MetricBatch(
            batch_id or new_id(), now(), self.organization, self.provider_id, self.region, list(samples)
        )
        subject = metrics_subject(self.organization, self.provider_id, self.region)
        await self.services.bus.publish(subject, ENCODER.encode(batch), {"Nats-Msg-Id": str(new_id())})
        return batch

    async def rows(self, statement: str, fits: Callable[[list[Any]], bool] = bool) -> list[Any]:
        """Rows of monitor's database as the system role, once they fit."""
        database = self.services.database("monitor")

        async def look() -> list[Any] | None:
            async with database.work(Context.background()) as work:
                seen = list(await work.execute(text(statement)))
            return seen if fits(seen) else None

        try:
            found: list[Any] = await eventually(look)
            return found
        finally:
            await database.close()


async def create_rule(fleet: Fleet, **values: Any) -> Any:
    condition = values.pop("alert_conditions", Condition(metric="cpu_utilization", threshold=50))
    request = CreateAlertRule(**mutation(fleet.context), alert_name="own", alert_conditions=condition, **values)
    return await fleet.services.ask(request)


async def eventually(look: Callable[[], Awaitable[Any]], timeout_s: float = 20) -> Any:
    """What `look` returns once it is not None. Raises TimeoutError."""
    import asyncio

    async with asyncio.timeout(timeout_s):
        while True:
            found = await look()
            if found is not None:
                return found
            await asyncio.sleep(0.05)


@pytest.fixture
async def monitor(services: Services) -> Services:
    """A monitor whose first sweep is over: these tests' accounts have no credentials, and that would be an alert."""
    await services.start("monitor", key_ring=KEY_RING, allow_private_webhooks=True, sweep_s=3600)
    await Fleet(services).rows("SELECT 1 FROM schedule WHERE name = 'monitor.sweep' AND finished_at IS NOT NULL")
    return services


@pytest.fixture
async def deps(monitor: Services) -> AsyncIterator[Deps]:
    """What monitor's handlers touch, for tests that call one of them in the middle of its work."""
    database = monitor.database("monitor")
    settings = Settings(key_ring=SecretStr(KEY_RING))
    foundation = Foundation(settings, monitor.bus, database, Journal(database, JournalSettings(), "test"))
    application = await build(foundation)
    yield application.deps
    assert application.close is not None
    await application.close()
    await database.close()


@pytest.fixture
def fleet(monitor: Services) -> Fleet:
    return Fleet(monitor)

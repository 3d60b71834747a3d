"""Collection: what is due is asked for once, published, stored and counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import boto3
import pytest

from services.monitor.deps import Deps
from services.monitor.domain.metrics import floor
from services.monitor.handlers.collections import collect_metrics
from services.monitor.storage.collections import resources_of
from shared.bus.credentials import CredentialStore, seal_credentials
from shared.clouds.capabilities import Metrics
from shared.clouds.models import Credentials, MetricAnswer, MetricQuery, MetricSeries
from shared.clouds.registry import Clouds
from shared.clouds.settings import CloudSettings
from shared.messages.alerts import AlertResolved
from shared.messages.metrics import CollectMetrics, GetMonitoringMetrics
from shared.messages.resources import ResourceDiscovered
from shared.messages.subjects import credentials_subject
from shared.security.envelope import KeyRing
from tests.fixtures.clouds import SimulatedAws
from tests.fixtures.services import Services
from tests.services.monitor.conftest import KEY_RING, Fleet, StandingClock, eventually, now

pytestmark = pytest.mark.anyio


def publish_point(aws: SimulatedAws, instance: str, time: object, cpu: float) -> None:
    account = aws.accounts[0]
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", endpoint_url=aws.endpoint_url,
        aws_access_key_id=account["access_key_id"], aws_secret_access_key=account["secret_access_key"],
    )  # fmt: skip
    point = {"MetricName": "CPUUtilization", "Dimensions": [{"Name": "InstanceId", "Value": instance}], "Value": cpu}
    client.put_metric_data(Namespace="AWS/EC2", MetricData=[{**point, "Timestamp": time}])


async def test_due_points_are_collected_counted_and_not_asked_for_again_and_a_recovered_account_clears_its_alert(
    services: Services, simulated_aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANOPY_AWS_ENDPOINT_URL", simulated_aws.endpoint_url)
    await services.start("monitor", key_ring=KEY_RING, sweep_s=1)
    fleet = Fleet(services)
    web = fleet.resource()
    begin = floor(now(), 60) - timedelta(minutes=3)
    await asyncio.to_thread(publish_point, simulated_aws, str(web.resource_id), begin, 42.0)
    await fleet.add(web)
    await fleet.rows("SELECT 1 FROM alert WHERE alert_type = 'monitoring_error'")
    secrets = dict(simulated_aws.credentials())
    sealed = seal_credentials(KeyRing.parse(KEY_RING), fleet.organization, fleet.provider_id, secrets)
    await services.bus.publish(credentials_subject(fleet.organization, fleet.provider_id), sealed, {})
    await services.event(AlertResolved)
    (row,) = await fleet.rows("SELECT time, cpu_utilization FROM infrastructure_monitoring")
    assert (row.time, row.cpu_utilization) == (begin, 42.0)

    async def report() -> object:
        found = await services.ask(GetMonitoringMetrics(**fleet.context.envelope(now())))
        return found if found.calls else None

    found = await eventually(report)
    (calls,) = found.calls
    assert (calls.metrics_requested % 8, found.collections[0].error, found.samples_last_hour) == (0, None, 1)


class Measuring(Metrics):
    """An account's metrics: a point for every period asked for; those of `partial` are said to be incomplete."""

    def __init__(self) -> None:
        self.asked: list[tuple[set[int], datetime, datetime, int]] = []
        self.partial: set[str] = set()

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        self.asked.append(({each.period_s for each in queries}, start, end, len(queries)))
        series = tuple(MetricSeries(each, (), each.resource_id not in self.partial) for each in queries)
        return MetricAnswer(series, 1, len(queries))


class OneAccount(Clouds):
    """Opens the same account whatever its credentials."""

    def __init__(self, metrics: Measuring) -> None:
        super().__init__(CloudSettings())
        self._metrics = metrics

    async def account(self, key: str, provider_name: str, credentials: Credentials) -> Any:
        return SimpleNamespace(metrics=self._metrics)


class AnyCredentials(CredentialStore):
    async def get(self, organization: UUID, provider_id: UUID) -> dict[str, Any]:
        return {}


@dataclass
class Collecting:
    """One account whose collection is asked for by hand, at a time that stands."""

    fleet: Fleet
    deps: Deps
    clock: StandingClock
    metrics: Measuring

    async def collect(self, after_s: float = 0) -> list[tuple[set[int], datetime, datetime, int]]:
        """What the account was asked: periods, start, end, number of series."""
        self.clock.time += timedelta(seconds=after_s)
        self.metrics.asked.clear()
        await collect_metrics(
            CollectMetrics(**self.fleet.about(self.fleet.provider_id, 1), region=self.fleet.region), self.deps
        )
        return list(self.metrics.asked)


@pytest.fixture
def collecting(fleet: Fleet, deps: Deps) -> Collecting:
    clock, metrics = StandingClock(floor(now(), 300)), Measuring()
    credentials = AnyCredentials(deps.bus, deps.key_ring)
    made = replace(deps, clock=clock, clouds=OneAccount(metrics), credentials=credentials)
    return Collecting(fleet, made, clock, metrics)


async def test_each_series_is_asked_for_once_a_period_and_never_in_between(collecting: Collecting) -> None:
    await collecting.fleet.add(collecting.fleet.resource(), collecting.fleet.resource())
    (first,) = await collecting.collect()
    assert first[3] == 16
    assert await collecting.collect(after_s=1) == []
    assert await collecting.collect(after_s=58) == []
    (second,) = await collecting.collect(after_s=1)
    assert (second[2] - first[2], second[3]) == (timedelta(seconds=60), 16)
    (row,) = await collecting.fleet.rows("SELECT api_calls, metrics_requested FROM cloud_calls")
    assert (row.api_calls, row.metrics_requested) == (2, 32)


async def test_what_the_provider_left_out_is_asked_for_again(collecting: Collecting) -> None:
    whole, partial = collecting.fleet.resource(), collecting.fleet.resource()
    await collecting.fleet.add(whole, partial)
    collecting.metrics.partial = {str(partial.resource_id)}
    (first,) = await collecting.collect()
    collecting.metrics.partial = set()
    assert await collecting.collect(after_s=30) == [], "questions cost money: with the next point, not at each sweep"
    spans = sorted((start, end, series) for _, start, end, series in await collecting.collect(after_s=30))
    end = first[2] + timedelta(seconds=60)
    assert spans == [(first[1] + timedelta(seconds=60), end, 8), (first[2] - timedelta(seconds=120), end, 8)]
    assert await collecting.collect() == []


async def test_a_resource_that_pays_for_detailed_monitoring_is_asked_for_each_minute(collecting: Collecting) -> None:
    collecting.fleet.period_s = 300
    detailed = collecting.fleet.resource(configuration={"monitoring": "detailed"})
    await collecting.fleet.add(detailed, collecting.fleet.resource())
    assert sorted(max(periods) for periods, *_ in await collecting.collect()) == [60, 300]
    (minute,) = await collecting.collect(after_s=60)
    assert (minute[0], minute[3]) == ({60}, 8)


async def test_a_found_machine_is_measured_and_a_found_volume_is_not(services: Services) -> None:
    await services.start("monitor", key_ring=KEY_RING, sweep_s=3600)
    fleet = Fleet(services)
    machine = fleet.resource(origin="discovered")
    volume = fleet.resource(
        origin="discovered", resource_type="storage", resource_subtype="volume", resource_status="available"
    )
    await fleet.add()
    for each in (volume, machine):
        await services.publish(ResourceDiscovered(**fleet.about(each.id, 1), resource=each))
    await fleet.rows("SELECT 1 FROM known_resource", lambda rows: len(rows) == 2)
    async with services.database("monitor").work(fleet.context) as work:
        measured = await resources_of(work, fleet.provider_id, fleet.region)
    assert [row["id"] for row in measured] == [machine.id]

"""Collection: what is due is asked for once, published, stored and counted."""

import asyncio
from datetime import timedelta

import boto3
import pytest

from services.monitor.domain.metrics import floor
from shared.bus.credentials import seal_credentials
from shared.messages.alerts import AlertResolved
from shared.messages.metrics import GetMonitoringMetrics
from shared.messages.subjects import credentials_subject
from shared.security.envelope import KeyRing
from tests.fixtures.clouds import SimulatedAws
from tests.fixtures.services import Services
from tests.services.monitor.conftest import KEY_RING, Fleet, eventually, now

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

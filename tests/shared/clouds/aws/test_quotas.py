"""What an account may have is told by Service Quotas; what it has of it where AWS counts."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.errors import RateLimited
from shared.clouds.quotas import WithQuotas

pytestmark = pytest.mark.anyio

USED = {"Service": "RDS", "Type": "Resource", "Resource": "DBInstances", "Class": "None"}


async def test_limits_are_told_and_what_is_used_where_it_is_known(account, cloud):
    assert isinstance(cloud, WithQuotas)
    now, keys = datetime.now(UTC), account.aws.credentials()
    client = boto3.client(
        "cloudwatch", region_name="eu-west-3", endpoint_url=account.aws.endpoint_url,
        aws_access_key_id=keys["access_key_id"], aws_secret_access_key=keys["secret_access_key"],
    )  # fmt: skip
    dimensions = [{"Name": name, "Value": value} for name, value in USED.items()]
    points = [
        {"MetricName": "ResourceCount", "Dimensions": dimensions, "Timestamp": now - age, "Value": value}
        for age, value in ((timedelta(minutes=130), 9.0), (timedelta(minutes=5), 7.0))
    ]
    client.put_metric_data(Namespace="AWS/Usage", MetricData=points)
    quotas = await cloud.quotas.read("eu-west-3", now)
    assert [(each.service, each.name) for each in quotas] == sorted((each.service, each.name) for each in quotas)
    told = {each.code: (each.service, each.limit, each.used, each.region) for each in quotas}
    assert told["L-7B6409FD"] == ("rds", 40, 7.0, "eu-west-3")
    assert told["L-F678F1CE"] == ("vpc", 5, None, "eu-west-3")
    assert "L-4EA4796A" not in told


async def test_what_belongs_to_no_region_is_asked_once(cloud):
    told = {each.code: (each.limit, each.region) for each in await cloud.quotas.read(GLOBAL_REGION, datetime.now(UTC))}
    assert told == {
        "L-24B04930": (500, "global"), "L-4EA4796A": (500, "global"), "L-DC2B2D3D": (10_000, "global")
    }  # fmt: skip


async def test_a_failed_question_is_not_an_account_without_limits(account, cloud):
    account.aws.fault(match={"action": "ListServiceQuotas"}, status=400, code="TooManyRequestsException")
    with pytest.raises(RateLimited):
        await cloud.quotas.read("us-east-1", datetime.now(UTC))

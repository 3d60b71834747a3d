"""How much may an AWS account have? Service Quotas tells the limits, CloudWatch's AWS/Usage what is used of some."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.aws.client import DEFAULT_REGION, AwsClient
from shared.clouds.errors import NotFound
from shared.clouds.quotas import Quota, Quotas

_REGIONAL = ("ec2", "elasticloadbalancing", "rds", "vpc")
_GLOBAL = ("cloudfront", "route53", "s3")
"""Service codes. The quotas of what belongs to no region are told in one only (Service Quotas User Guide)."""
_QUERIES_A_CALL_MAX = 500  # API_GetMetricData, MetricDataQueries
_LOOK_BACK = timedelta(hours=3)
_PERIOD_S = 3600


class AwsQuotas(Quotas):
    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def read(self, region: str, now: datetime) -> list[Quota]:
        place, services = (DEFAULT_REGION, _GLOBAL) if region == GLOBAL_REGION else (region, _REGIONAL)
        answers = await asyncio.gather(*(self._of(place, each) for each in services))
        quotas = [each for answer in answers for each in answer]
        used = await self._used(place, [each for each in quotas if each.get("UsageMetric")], now)
        found = [_quota(each, region, used.get(_key(each))) for each in quotas]
        return sorted(found, key=lambda each: (each.service, each.name, each.code))

    async def _of(self, region: str, service: str) -> list[dict[str, Any]]:
        """None of a service that the region does not have."""
        try:
            return [
                each
                async for page in self._client.pages(
                    "service-quotas", region, "ListServiceQuotas", ServiceCode=service, MaxResults=100
                )
                for each in page["Quotas"]
            ]
        except NotFound:
            return []

    async def _used(
        self, region: str, quotas: Sequence[Mapping[str, Any]], now: datetime
    ) -> dict[tuple[str, str], float]:
        used: dict[tuple[str, str], float] = {}
        for first in range(0, len(quotas), _QUERIES_A_CALL_MAX):
            part = quotas[first : first + _QUERIES_A_CALL_MAX]
            queries = [_query(number, each["UsageMetric"]) for number, each in enumerate(part)]
            async for page in self._client.pages(
                "cloudwatch", region, "GetMetricData", MetricDataQueries=queries, StartTime=now - _LOOK_BACK,
                EndTime=now, ScanBy="TimestampDescending",
            ):  # fmt: skip
                for result in page["MetricDataResults"]:
                    if result["Values"]:
                        used.setdefault(_key(part[int(result["Id"][1:])]), float(result["Values"][0]))
        return used


def _query(number: int, metric: Mapping[str, Any]) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.get("MetricDimensions", {}).items()]
    series = {"Namespace": metric["MetricNamespace"], "MetricName": metric["MetricName"], "Dimensions": dimensions}
    statistic = metric.get("MetricStatisticRecommendation") or "Maximum"
    return {"Id": f"q{number}", "MetricStat": {"Metric": series, "Period": _PERIOD_S, "Stat": statistic}}


def _key(quota: Mapping[str, Any]) -> tuple[str, str]:
    return quota["ServiceCode"], quota["QuotaCode"]


def _quota(quota: Mapping[str, Any], region: str, used: float | None) -> Quota:
    unit = quota.get("Unit")
    return Quota(
        code=quota["QuotaCode"],
        name=quota["QuotaName"],
        service=quota["ServiceCode"],
        region=region,
        limit=quota.get("Value"),
        used=used,
        unit=None if unit in {None, "None", "Count"} else unit,
    )

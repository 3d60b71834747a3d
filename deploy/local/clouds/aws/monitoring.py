"""How does CloudWatch answer put, get and list of metrics? moto's own backend scans every point for every query."""

import datetime as dt
import math
import time
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import moto.cloudwatch.urls
from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import CloudWatchBackend

from deploy.local.clouds.aws.metrics import Dimensions, Key, MetricStore, Point, Series
from deploy.local.load.series import METRICS

QUERIES_LIMIT = 500  # MetricDataQueries per GetMetricData (CloudWatch API reference)
_NAMES = {(namespace, metric): name for name, (namespace, metric, _) in METRICS.items()}
SHORT_PERIODS_S = (1, 5, 10, 20, 30)


class Loads(Protocol):
    """Of which machines is the load a curve, for which nobody puts any point?"""

    def load_of(self, account_id: str, region: str, instance_id: str) -> Callable[[float], dict[str, float]] | None:
        """Its values by their names at a time; None where somebody puts them."""


class _NoLoads:
    def load_of(self, _account: str, _region: str, _instance: str) -> None:
        return None


class FastMonitoring(CloudWatchBackend):
    """CloudWatch of one account and region: metrics in our store, alarms and dashboards as moto keeps them."""

    loads: ClassVar[Loads] = _NoLoads()

    def __init__(self, region_name: str, account_id: str) -> None:
        self.store = MetricStore()
        self.changed = False
        super().__init__(region_name, account_id)

    @property
    def _url_module(self) -> Any:
        return moto.cloudwatch.urls  # moto looks beside the class, which is here

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        for position, datum in enumerate(metric_data, start=1):
            self._validate_parameters_put_metric_data(datum, position)
        for datum in metric_data:
            key = (namespace, str(datum["MetricName"]), _dimensions(datum.get("Dimensions")))
            self.store.put(key, _points(datum), datum.get("Unit"))
        self.changed = True

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: dt.datetime,
        end_time: dt.datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        """One result per query; raises ValidationError for what the real API refuses, and for expressions."""
        start_s, end_s = _seconds(start_time), _seconds(end_time)
        if start_s >= end_s:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        if len(queries) > QUERIES_LIMIT:
            raise ValidationError(
                f"The collection MetricDataQueries must not have a size greater than {QUERIES_LIMIT}."
            )
        if any("Expression" in query for query in queries):
            raise ValidationError("This simulated CloudWatch knows no metric math.")
        newest_first = scan_by == "TimestampDescending"
        answered = [query for query in queries if query.get("ReturnData", True)]
        return [self._result(query, start_s, end_s, newest_first=newest_first) for query in answered]

    def _result(self, query: dict[str, Any], start_s: float, end_s: float, *, newest_first: bool) -> dict[str, Any]:
        asked = query["MetricStat"]
        period_s, statistic = int(asked["Period"]), str(asked["Stat"])
        if period_s not in SHORT_PERIODS_S and (period_s < 60 or period_s % 60):
            raise ValidationError("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
        series = self._series(_key(asked["Metric"]), start_s, end_s)
        buckets = list(series.buckets(start_s, end_s, period_s))
        if newest_first:
            buckets.reverse()
        try:
            values = [bucket.statistic(statistic) for bucket in buckets]
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return {
            "id": query["Id"],
            "label": query.get("Label") or asked["Metric"]["MetricName"],
            "values": values,
            "timestamps": [_moment(bucket.start_s) for bucket in buckets],
            "status_code": "Complete",
        }

    def _series(self, key: Key, start_s: float, end_s: float) -> Series:
        """What was put; of a seeded machine, for which nobody puts anything, a point each minute of its load curve."""
        namespace, name, dimensions = key
        load = self.loads.load_of(self.account_id, self.region_name, dict(dimensions).get("InstanceId", ""))
        value = _NAMES.get((namespace, name))
        if load is None or value is None:
            return self.store.find(key)
        minutes = range(math.ceil(start_s / 60) * 60, math.ceil(min(end_s, time.time()) / 60) * 60, 60)
        series = Series(unit=METRICS[value][2])
        for minute in minutes:
            values = load(minute)
            if values:
                series.add(Point(minute, 1.0, values[value], values[value], values[value]))
        return series

    def get_metric_statistics(
        self,
        namespace: str,
        metric_name: str,
        start_time: dt.datetime,
        end_time: dt.datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,  # noqa: ARG002 - a series has one unit here
    ) -> list[Any]:
        if start_time >= end_time:
            raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
        key = (namespace, metric_name, _dimensions(dimensions))
        series = self._series(key, _seconds(start_time), _seconds(end_time))
        return [
            {"Timestamp": _moment(bucket.start_s), "Unit": series.unit or "None"}
            | {name: bucket.statistic(name) for name in stats}
            for bucket in series.buckets(_seconds(start_time), _seconds(end_time), int(period))
        ]

    def get_filtered_metrics(self, metric_name: str, namespace: str, dimensions: list[dict[str, str]]) -> list[Any]:
        wanted = [(row["Name"], row.get("Value")) for row in dimensions or []]
        return [
            {
                "Namespace": key[0],
                "MetricName": key[1],
                "Dimensions": [{"Name": name, "Value": value} for name, value in key[2]],
            }
            for key in self.store.keys(namespace, metric_name, wanted)
        ]


def _dimensions(rows: list[dict[str, str]] | None) -> Dimensions:
    return tuple(sorted((str(row["Name"]), str(row["Value"])) for row in rows or []))


def _key(metric: dict[str, Any]) -> Key:
    return (str(metric["Namespace"]), str(metric["MetricName"]), _dimensions(metric.get("Dimensions")))


def _seconds(moment: dt.datetime) -> float:
    # moto reads some protocols' times without a zone; all of them are UTC.
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)


def _points(datum: dict[str, Any]) -> list[Point]:
    given = datum.get("Timestamp")
    time_s = _seconds(given) if given else dt.datetime.now(dt.UTC).timestamp()
    if datum.get("StatisticValues"):
        values = {name: float(value) for name, value in datum["StatisticValues"].items()}
        return [Point(time_s, values["SampleCount"], values["Sum"], values["Minimum"], values["Maximum"])]
    singles = [float(value) for value in datum.get("Values") or [datum.get("Value", 0.0)]]
    counts = [float(count) for count in datum.get("Counts") or [1.0] * len(singles)]
    return [Point(time_s, count, value * count, value, value) for value, count in zip(singles, counts, strict=True)]

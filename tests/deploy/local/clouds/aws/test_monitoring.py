"""Does the simulated CloudWatch answer queries as the real one does, and fast enough for a fleet?"""

import datetime as dt

import pytest

START = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def put(cloud, name, values, step_s=5, namespace="AWS/EC2", instance="i-1", region="us-east-1") -> None:
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "InstanceId", "Value": instance}],
            "Timestamp": START + dt.timedelta(seconds=number * step_s),
            "Value": value,
            "StorageResolution": 1,
        }
        for number, value in enumerate(values)
    ]
    cloud.client("cloudwatch", region).put_metric_data(Namespace=namespace, MetricData=data)


def query(name, period=60, stat="Average", instance="i-1", query_id="q", namespace="AWS/EC2"):
    dimensions = [{"Name": "InstanceId", "Value": instance}]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def ask(cloud, *queries, minutes=10, region="us-east-1", **options):
    client = cloud.client("cloudwatch", region)
    end = START + dt.timedelta(minutes=minutes)
    return client.get_metric_data(MetricDataQueries=list(queries), StartTime=START, EndTime=end, **options)


def test_points_are_gathered_by_period_newest_first(cloud) -> None:
    put(cloud, "gathered", range(24))
    result = ask(cloud, query("gathered"))["MetricDataResults"][0]
    assert result["Values"] == [17.5, 5.5]
    assert [t.astimezone(dt.UTC) for t in result["Timestamps"]] == [START + dt.timedelta(minutes=1), START]
    oldest_first = ask(cloud, query("gathered"), ScanBy="TimestampAscending")["MetricDataResults"][0]
    assert oldest_first["Values"] == [5.5, 17.5]


def test_a_period_of_five_seconds_gives_every_point(cloud) -> None:
    put(cloud, "every", [1, 2, 3])
    assert ask(cloud, query("every", period=5))["MetricDataResults"][0]["Values"] == [3, 2, 1]


@pytest.mark.parametrize(
    ("stat", "expected"), [("Sum", 10), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2), ("p100", 4)]
)
def test_each_statistic_is_what_its_name_says(cloud, stat, expected) -> None:
    name = f"statistic {stat}"
    put(cloud, name, [4, 1, 3, 2])
    assert ask(cloud, query(name, stat=stat))["MetricDataResults"][0]["Values"] == [expected]


def test_sets_of_samples_count_as_many(cloud) -> None:
    samples = {"SampleCount": 4, "Sum": 40, "Minimum": 1, "Maximum": 30}
    data = [
        {"MetricName": "sets", "Timestamp": START, "StatisticValues": samples},
        {"MetricName": "sets", "Timestamp": START, "Values": [2, 8], "Counts": [1, 3]},
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=data)
    metric = {"Namespace": "Test", "MetricName": "sets"}
    queries = [
        {"Id": stat.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
        for stat in ("SampleCount", "Sum", "Minimum", "Maximum")
    ]
    answered = ask(cloud, *queries)["MetricDataResults"]
    assert [result["Values"] for result in answered] == [[8], [66], [1], [30]]


def test_another_set_of_dimensions_is_another_metric(cloud) -> None:
    put(cloud, "dimensions", [7], instance="i-1")
    assert ask(cloud, query("dimensions", instance="i-2"))["MetricDataResults"][0]["Values"] == []


def test_accounts_and_regions_do_not_see_each_others_metrics(cloud) -> None:
    put(cloud, "apart", [7])
    assert ask(cloud, query("apart"), region="eu-west-1")["MetricDataResults"][0]["Values"] == []
    other = cloud.client("cloudwatch", account=cloud.accounts[1])
    assert other.list_metrics(Namespace="AWS/EC2")["Metrics"] == []


def test_metrics_are_listed_by_dimension(cloud) -> None:
    put(cloud, "listed a", [1], instance="i-listed")
    put(cloud, "listed b", [1], instance="i-listed", namespace="CWAgent")
    wanted = [{"Name": "InstanceId", "Value": "i-listed"}]
    found = cloud.client("cloudwatch").list_metrics(Dimensions=wanted)["Metrics"]
    assert sorted((m["Namespace"], m["MetricName"]) for m in found) == [
        ("AWS/EC2", "listed a"),
        ("CWAgent", "listed b"),
    ]
    assert found[0]["Dimensions"] == wanted


def test_queries_that_cloudwatch_refuses_are_refused(cloud, code_of) -> None:
    many = [query("x", query_id=f"q{number}") for number in range(501)]
    assert code_of(lambda: ask(cloud, *many)) == "ValidationError"
    assert code_of(lambda: ask(cloud, query("x", period=7))) == "ValidationError"
    assert code_of(lambda: ask(cloud, query("x"), minutes=0)) == "ValidationError"
    put(cloud, "refused", [1])
    assert code_of(lambda: ask(cloud, query("refused", stat="Mode"))) == "ValidationError"


def test_a_whole_fleet_is_put_and_read_in_one_call_each(cloud) -> None:
    names = [f"fleet {number}" for number in range(8)]
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "InstanceId", "Value": f"i-{machine}"}],
            "Timestamp": START,
            "Value": machine,
        }
        for machine in range(50)
        for name in names
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=data)
    queries = [
        query(name, instance=f"i-{machine}", query_id=f"q{machine}_{place}")
        for machine in range(50)
        for place, name in enumerate(names)
    ]
    results = ask(cloud, *queries)["MetricDataResults"]
    assert {r["Id"]: r["Values"] for r in results} == {q["Id"]: [float(q["Id"][1:].split("_")[0])] for q in queries}


def test_calls_are_counted_and_so_are_the_metrics_they_ask_for(cloud) -> None:
    def counts():
        rows = cloud.ask("GET", "/_sim/calls")["calls"]
        return {row["action"]: row["count"] for row in rows if row["service"] == "monitoring"}

    before = counts()
    ask(cloud, query("a", query_id="a"), query("b", query_id="b"))
    after = counts()
    assert after["GetMetricData"] - before.get("GetMetricData", 0) == 1
    assert after["GetMetricData:metrics"] - before.get("GetMetricData:metrics", 0) == 2

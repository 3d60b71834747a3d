"""Can every kind of bad day be had on demand, and only for the calls it was meant for?"""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError


def fault(cloud, **document):
    answer = cloud.ask("POST", "/_sim/fault", document)
    assert "fault" in answer, answer
    return answer["fault"]


def test_a_throttled_call_says_when_to_come_back_and_then_works(cloud) -> None:
    fault(cloud, match={"action": "DescribeRegions"}, status=429, retry_after_s=1.5, count=1)
    with pytest.raises(ClientError) as caught:
        cloud.client("ec2").describe_regions()
    answer = caught.value.response
    assert answer["Error"]["Code"] == "RequestLimitExceeded"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1.5"
    assert cloud.client("ec2").describe_regions()["Regions"]


def test_a_refused_mutation_makes_nothing(cloud, code_of) -> None:
    before = len(cloud.ask("GET", "/_sim/ledger")["entries"])
    fault(cloud, match={"action": "RunInstances"}, status=500, code="InsufficientInstanceCapacity", count=1)
    assert code_of(cloud.run) == "InsufficientInstanceCapacity"
    assert len(cloud.ask("GET", "/_sim/ledger")["entries"]) == before


@pytest.mark.parametrize("service", ["ec2", "sts", "cloudwatch", "s3"])
def test_every_service_reads_the_code_in_its_own_format(cloud, code_of, service) -> None:
    fault(cloud, status=503, code="ServiceUnavailable", count=1)
    calls = {
        "ec2": "describe_regions",
        "sts": "get_caller_identity",
        "cloudwatch": "list_metrics",
        "s3": "list_buckets",
    }
    assert code_of(getattr(cloud.client(service), calls[service])) in ("ServiceUnavailable", "503")


def test_a_lost_region_takes_no_other_with_it(cloud, code_of) -> None:
    fault(cloud, match={"region": "us-east-1"}, status=503)
    for _ in range(3):
        assert code_of(cloud.client("ec2").describe_volumes) == "ServiceUnavailable"
    assert "Volumes" in cloud.client("ec2", "eu-west-1").describe_volumes()
    assert cloud.ask("DELETE", "/_sim/fault") == {"cleared": 1}
    assert "Volumes" in cloud.client("ec2").describe_volumes()


def test_a_fault_of_one_account_spares_the_other(cloud, code_of) -> None:
    first, second = cloud.accounts[:2]
    fault(cloud, match={"account": first["account_id"]}, status=500)
    assert code_of(cloud.client("sts", account=first).get_caller_identity) == "InternalError"
    assert cloud.client("sts", account=second).get_caller_identity()["Account"] == second["account_id"]


def test_a_reset_connection_is_a_reset_connection(cloud) -> None:
    fault(cloud, match={"action": "DescribeVolumes"}, reset=True, count=1)
    with pytest.raises(ConnectionClosedError):
        cloud.client("ec2").describe_volumes()


def test_a_call_can_succeed_and_lose_its_answer(cloud) -> None:
    image = cloud.image()
    fault(cloud, match={"action": "RunInstances"}, reset=True, after=True, count=1)
    with pytest.raises(ConnectionClosedError):
        cloud.run(ImageId=image, ClientToken="lost answer")
    made = [m for m in cloud.ask("GET", "/_sim/instances")["instances"] if m["client_token"] == "lost answer"]
    assert len(made) == 1
    assert cloud.run(ImageId=image, ClientToken="lost answer")["InstanceId"] == made[0]["id"]


def test_latency_alone_delays_and_answers(cloud) -> None:
    fault(cloud, match={"action": "GetCallerIdentity"}, latency_ms=1, count=1)
    assert cloud.client("sts").get_caller_identity()["Account"] == cloud.accounts[0]["account_id"]
    assert cloud.ask("GET", "/_sim/fault") == {"faults": []}


def test_a_fault_ends_with_its_time(cloud) -> None:
    fault(cloud, status=500, duration_s=0)
    assert cloud.client("sts").get_caller_identity()["Account"] == cloud.accounts[0]["account_id"]


@pytest.mark.parametrize(
    "document",
    [
        {"status": 200},
        {"status": "429"},
        {"count": -1},
        {"match": {"colour": "red"}},
        {"match": "RunInstances"},
        {"colour": "red"},
        [],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(cloud, document) -> None:
    answer = cloud.ask("POST", "/_sim/fault", document)
    assert answer["status"] == 422
    assert answer["error"]
    assert cloud.ask("GET", "/_sim/fault") == {"faults": []}

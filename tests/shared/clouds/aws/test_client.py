"""A call to AWS has limits, is repeated only when that is harmless, and shows in traces without its secrets."""

import asyncio
import logging
import socket
import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from shared.clouds.aws import client as client_module
from shared.clouds.aws.client import AwsClient
from shared.clouds.errors import AuthFailed, ProviderFault, RateLimited, Unreachable
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings

pytestmark = pytest.mark.anyio

REGION = "eu-west-3"  # no other test calls it


@pytest.fixture
async def client(simulated_aws):
    client = AwsClient(
        simulated_aws.credentials(), simulated_aws.settings(cloud_call_attempts=3), random_fraction=float
    )
    yield client
    await client.close()


@pytest.fixture
def counted(simulated_aws):
    before = simulated_aws.calls()

    def count(action: str) -> int:
        return simulated_aws.calls().get((REGION, action), 0) - before.get((REGION, action), 0)

    return count


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(client_module, "_tracer", provider.get_tracer("test"))
    return exporter.get_finished_spans


def calls_told(operation: str) -> float:
    """What `/metrics` says of the calls of an operation."""
    labels = {"provider": "aws", "operation": operation}
    return REGISTRY.get_sample_value("canopy_cloud_calls_total", labels) or 0.0


async def test_a_throttled_call_is_repeated_until_its_attempts_are_used(client, simulated_aws, counted):
    before = calls_told("DescribeVpcs")
    simulated_aws.fault(match={"region": REGION}, status=503, code="RequestLimitExceeded", count=2)
    await client.call("ec2", REGION, "DescribeVpcs")
    assert counted("DescribeVpcs") == 3
    simulated_aws.fault(match={"region": REGION}, status=503, code="RequestLimitExceeded", count=3)
    with pytest.raises(RateLimited):
        await client.call("ec2", REGION, "DescribeVpcs")
    assert calls_told("DescribeVpcs") - before == counted("DescribeVpcs") == 6


async def test_a_long_retry_after_is_the_callers_to_wait(client, simulated_aws, counted):
    simulated_aws.fault(match={"region": REGION}, status=503, code="RequestLimitExceeded", retry_after_s=60)
    with pytest.raises(RateLimited) as caught:
        await client.call("ec2", REGION, "DescribeVpcs")
    assert caught.value.retry_after_s == 60
    assert counted("DescribeVpcs") == 1


async def test_a_read_is_repeated_after_a_lost_answer(client, simulated_aws, counted):
    simulated_aws.fault(match={"region": REGION}, reset=True, count=1)
    await client.call("ec2", REGION, "DescribeVpcs")
    assert counted("DescribeVpcs") == 2


async def test_a_change_without_client_token_is_never_repeated_by_itself(client, simulated_aws, counted):
    zone = f"{REGION}a"
    volume = await client.call("ec2", REGION, "CreateVolume", Size=1, AvailabilityZone=zone, ClientToken="client:1")
    for fault, error in (({"reset": True}, Unreachable), ({"status": 500, "code": "InternalError"}, ProviderFault)):
        simulated_aws.fault(match={"action": "CreateSnapshot"}, after=True, count=1, **fault)
        with pytest.raises(error) as caught:
            await client.call("ec2", REGION, "CreateSnapshot", VolumeId=volume["VolumeId"])
        assert caught.value.outcome_unknown
    assert counted("CreateSnapshot") == 2


async def test_a_change_with_client_token_is_repeated_and_done_once(client, simulated_aws, counted):
    simulated_aws.fault(match={"action": "CreateVolume"}, reset=True, after=True, count=1)
    parameters = {"Size": 1, "AvailabilityZone": f"{REGION}b", "ClientToken": "client:2"}
    made = await client.call("ec2", REGION, "CreateVolume", **parameters)
    assert counted("CreateVolume") == 2
    zones = [{"Name": "availability-zone", "Values": [f"{REGION}b"]}]
    found = await client.call("ec2", REGION, "DescribeVolumes", Filters=zones)
    assert [each["VolumeId"] for each in found["Volumes"]] == [made["VolumeId"]]


async def test_a_refusal_is_not_repeated(simulated_aws, client, counted):
    simulated_aws.fault(match={"region": REGION}, status=401, code="AuthFailure")
    with pytest.raises(AuthFailed):
        await client.call("ec2", REGION, "DescribeVpcs")
    assert counted("DescribeVpcs") == 1


@pytest.fixture
def silent_server():
    """Takes connections and requests, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


KEYS = Credentials({"access_key_id": "AKIAEXAMPLE", "secret_access_key": "wJalrSECRET"})


async def test_no_answer_within_the_read_limit_is_unreachable(silent_server):
    settings = CloudSettings(aws_endpoint_url=silent_server, cloud_read_timeout_s=0.2, cloud_call_attempts=1)
    client = AwsClient(KEYS, settings)
    with pytest.raises(Unreachable) as caught:
        await client.call("sts", REGION, "GetCallerIdentity")
    assert caught.value.code == "ReadTimeoutError"
    await client.close()


async def test_an_answer_that_drips_is_given_up(monkeypatch):
    """Each byte comes within the read limit, so only the limit of the whole call ends it."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not stop.wait(0.02):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        server = threading.Thread(target=drip)
        server.start()
        settings = CloudSettings(
            aws_endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            cloud_connect_timeout_s=0.2,
            cloud_read_timeout_s=0.2,
            cloud_call_attempts=1,
        )
        client = AwsClient(KEYS, settings)
        with pytest.raises(Unreachable) as caught:
            await client.call("sts", REGION, "GetCallerIdentity")
        assert caught.value.code == "timeout"
        await client.close()
        stop.set()
        server.join()


async def test_nobody_listening_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = AwsClient(KEYS, CloudSettings(aws_endpoint_url=f"http://127.0.0.1:{port}", cloud_call_attempts=1))
    with pytest.raises(Unreachable):
        await client.call("sts", REGION, "GetCallerIdentity")
    await client.close()


async def test_a_cancelled_call_ends_at_once_and_the_loop_goes_on(silent_server):
    client = AwsClient(KEYS, CloudSettings(aws_endpoint_url=silent_server, cloud_read_timeout_s=1.0))
    call = asyncio.create_task(client.call("sts", REGION, "GetCallerIdentity"))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await client.close()


async def test_a_call_is_a_span_with_its_region_and_request(client, spans):
    await client.call("ec2", REGION, "DescribeVpcs")
    [span] = spans()
    assert span.name == "aws ec2 DescribeVpcs"
    assert span.kind is trace.SpanKind.CLIENT
    assert span.attributes["cloud.provider"] == "aws"
    assert span.attributes["cloud.region"] == REGION
    assert span.attributes["rpc.service"] == "ec2"
    assert span.attributes["rpc.method"] == "DescribeVpcs"
    assert span.attributes["aws.request_id"]


async def test_neither_spans_nor_logs_nor_errors_show_keys(simulated_aws, spans, caplog):
    caplog.set_level(logging.DEBUG)
    right = simulated_aws.credentials()
    wrong = Credentials({**right, "secret_access_key": "wJalrSECRET-that-is-wrong"})
    client = AwsClient(wrong, simulated_aws.settings())
    with pytest.raises(AuthFailed) as caught:
        await client.call("ec2", REGION, "DescribeVpcs")
    await client.close()
    [span] = spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "AuthFailure"
    shown = span.to_json() + caplog.text + repr(caught.value) + repr(caught.value.__dict__)
    for secret in wrong.values():
        assert secret not in shown
    assert caught.value.__cause__ is None


async def test_the_same_page_twice_is_an_error_and_no_loop():
    class Stuck(AwsClient):
        async def call(self, *_, **__):
            return {"NextToken": "same"}

    client = Stuck(KEYS, CloudSettings())
    with pytest.raises(ProviderFault):
        async for _ in client.pages("ec2", REGION, "DescribeInstances"):
            pass
    await client.close()


async def test_nothing_of_the_machine_it_runs_on_is_read(simulated_aws, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\nregion = mars-1\n[profile other]\nendpoint_url = http://127.0.0.1:9\n")
    for name, value in {
        "AWS_PROFILE": "missing",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAOTHER",
        "AWS_SECRET_ACCESS_KEY": "other",
    }.items():
        monkeypatch.setenv(name, value)
    client = AwsClient(simulated_aws.credentials(), simulated_aws.settings())
    answer = await client.call("sts", client.default_region, "GetCallerIdentity")
    assert answer["Account"] == simulated_aws.accounts[0]["account_id"]
    await client.close()

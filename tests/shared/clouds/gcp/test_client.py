"""A call to Google Cloud has limits, is repeated only when that is harmless, and shows in traces without its secrets."""

import json
import logging
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from shared.clouds.errors import AuthFailed, Conflict, NotFound, ProviderFault, RateLimited, Unreachable
from shared.clouds.gcp import client as client_module
from shared.clouds.gcp.client import GcpClient
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings

pytestmark = pytest.mark.anyio

REGION = "asia-northeast1"  # no other test calls it
ZONE = f"{REGION}-a"


@pytest.fixture
async def client(gcp):
    client = GcpClient(gcp.credentials(), gcp.settings(cloud_call_attempts=3), random_fraction=float)
    yield client
    await client.close()


@pytest.fixture
def counted(gcp):
    before = gcp.calls()

    def count(action: str, region: str = REGION) -> int:
        return gcp.calls().get((region, action), 0) - before.get((region, action), 0)

    return count


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(client_module, "_tracer", provider.get_tracer("test"))
    return exporter.get_finished_spans


async def read(client):
    return await client.read("regions.get", REGION, "regions", REGION)


def disk(name: str) -> dict:
    return {"zone": ZONE, "disk_resource": {"name": name, "size_gb": 10}}


async def test_a_throttled_call_is_repeated_until_its_attempts_are_used(client, gcp, counted):
    labels = {"provider": "gcp", "operation": "regions.get"}
    before = REGISTRY.get_sample_value("canopy_cloud_calls_total", labels) or 0.0
    gcp.fault(match={"region": REGION}, status=403, code="rateLimitExceeded", count=2)
    await read(client)
    assert counted("regions.get") == 3
    gcp.fault(match={"region": REGION}, status=429, count=3)
    with pytest.raises(RateLimited):
        await read(client)
    assert REGISTRY.get_sample_value("canopy_cloud_calls_total", labels) - before == counted("regions.get") == 6


async def test_a_long_retry_after_is_the_callers_to_wait(client, gcp, counted):
    gcp.fault(match={"region": REGION}, status=429, retry_after_s=60)
    with pytest.raises(RateLimited) as caught:
        await read(client)
    assert caught.value.retry_after_s == 60
    assert counted("regions.get") == 1


@pytest.mark.parametrize("fault", [{"reset": True}, {"cut_body": True}, {"status": 503}])
async def test_a_read_is_repeated_after_a_lost_answer(client, gcp, counted, fault):
    gcp.fault(match={"region": REGION}, count=1, **fault)
    assert (await read(client))["name"] == REGION
    assert counted("regions.get") == 2


async def test_a_change_that_names_nothing_new_is_never_repeated_by_itself(client, gcp, counted):
    await client.call("disks", "insert_unary", REGION, **disk("once"))
    for fault, error in (({"reset": True}, Unreachable), ({"status": 500}, ProviderFault)):
        gcp.fault(match={"action": "disks.delete"}, count=1, **fault)
        with pytest.raises(error) as caught:
            await client.call("disks", "delete_unary", REGION, zone=ZONE, disk="once")
        assert caught.value.outcome_unknown
    assert counted("disks.delete") == 2


async def test_an_insert_is_repeated_and_makes_one_thing(client, gcp, counted):
    """With a request id Google repeats its first answer, without one it says that the thing exists."""
    request_id = client.request_id("client:2")
    gcp.fault(match={"action": "disks.insert"}, reset=True, after=True, count=1)
    operation = await client.call("disks", "insert_unary", REGION, request_id=request_id, **disk("twice"))
    assert operation["operationType"] == "insert"
    gcp.fault(match={"action": "disks.insert"}, reset=True, after=True, count=1)
    with pytest.raises(Conflict) as caught:
        await client.call("disks", "insert_unary", REGION, **disk("thrice"))
    assert caught.value.code == "alreadyExists"
    assert counted("disks.insert") == 4


async def test_a_request_id_belongs_to_a_project_and_a_token(client, gcp):
    other = GcpClient(gcp.credentials(1), gcp.settings())
    ids = {client.request_id("a"), client.request_id("b"), client.request_id("a", "x"), other.request_id("a")}
    assert len(ids) == 4
    assert client.request_id("a") == client.request_id("a")
    await other.close()


async def test_a_list_is_read_page_by_page(client):
    pages = [page async for page in client.listed("regions.list", "global", "regions", maxResults=4)]
    assert [len(page) for page in pages] == [4, 4, 2]


@pytest.mark.parametrize("part", ["", ".", "..", "us-east1/zones", "us-east1?fields=name", "us-east1#"])
async def test_a_part_of_an_address_stays_one(client, part):
    """Whoever names a region, an image or a snapshot chooses no other address of Google's."""
    with pytest.raises(NotFound):
        await client.read("regions.get", REGION, "regions", part)


async def test_a_token_is_asked_for_once_and_again_before_it_ends(gcp, counted):
    now = [datetime.now(UTC)]
    client = GcpClient(gcp.credentials(), gcp.settings(), now=lambda: now[0])
    await read(client)
    await read(client)
    assert counted("token", "global") == 1
    client._identity.expiry = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)
    await read(client)
    assert counted("token", "global") == 2
    await client.close()


async def test_an_expired_account_and_a_foreign_key_are_refused(gcp, wrong_key):
    stranger = Credentials({"project_id": "test-project", "service_account_key": wrong_key})
    for credentials, message in ((gcp.credentials(3), "Invalid JWT Signature."), (stranger, "account not found")):
        client = GcpClient(credentials, gcp.settings())
        with pytest.raises(AuthFailed, match=message) as caught:
            await read(client)
        assert caught.value.code == "invalid_grant"
        await client.close()


async def test_a_throttled_token_says_when_to_come_again(gcp):
    client = GcpClient(gcp.credentials(), gcp.settings(cloud_call_attempts=1))
    gcp.fault(match={"service": "gcp", "action": "token"}, status=429, retry_after_s=11, count=1)
    with pytest.raises(RateLimited) as caught:
        await client.identify()
    assert caught.value.retry_after_s == 11
    await client.close()


async def test_addresses_are_the_deployments_or_googles_whatever_the_environment_says(gcp, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "evil.example")
    for endpoint, compute in ((None, "compute.googleapis.com"), (gcp.endpoint_url, gcp.endpoint_url)):
        client = GcpClient(gcp.credentials(), CloudSettings(gcp_endpoint_url=endpoint))
        assert client._client("instances").api_endpoint == compute
        assert client._client("disks").transport._host.endswith(compute)
        await client.close()


@pytest.fixture
def silent_server():
    """Takes connections and requests, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_no_answer_within_the_read_limit_is_unreachable(gcp, silent_server):
    settings = CloudSettings(gcp_endpoint_url=silent_server, cloud_read_timeout_s=0.2, cloud_call_attempts=1)
    client = GcpClient(gcp.credentials(), settings)
    with pytest.raises(Unreachable):
        await client.identify()
    client._identity.token = "ya29.a-token"
    with pytest.raises(Unreachable) as caught:
        await read(client)
    assert caught.value.code in {"ReadTimeout", "ConnectionError", "timeout"}
    await client.close()


async def test_an_answer_that_drips_is_given_up(gcp):
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
            gcp_endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            cloud_connect_timeout_s=0.2,
            cloud_read_timeout_s=0.2,
            cloud_call_attempts=1,
        )
        client = GcpClient(gcp.credentials(), settings)
        with pytest.raises(Unreachable) as caught:
            await client.identify()
        assert caught.value.code == "timeout"
        await client.close()
        stop.set()
        server.join()


async def test_nobody_listening_is_unreachable(gcp):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = CloudSettings(gcp_endpoint_url=f"http://127.0.0.1:{port}", cloud_call_attempts=1)
    client = GcpClient(gcp.credentials(), settings)
    with pytest.raises(Unreachable):
        await client.identify()
    await client.close()


async def test_a_call_is_one_span_without_secrets(client, spans, gcp):
    await read(client)
    with pytest.raises(NotFound):
        await client.read("instances.get", REGION, "zones", ZONE, "instances", "nobody")
    first, second = spans()
    assert (first.name, first.kind) == ("gcp compute regions.get", trace.SpanKind.CLIENT)
    assert first.attributes["cloud.region"] == REGION
    assert (second.name, second.status.status_code) == ("gcp compute instances.get", trace.StatusCode.ERROR)
    assert second.attributes["error.type"] == "notFound"
    shown = "".join(each.to_json() for each in spans())
    for secret in (client._identity.token, json.loads(gcp.credentials()["service_account_key"])["private_key"][60:90]):
        assert secret not in shown


async def test_no_log_shows_a_token_or_a_key(client, gcp, caplog):
    with caplog.at_level(logging.DEBUG):
        await read(client)
        gcp.fault(match={"region": REGION}, reset=True, count=3)
        with pytest.raises(Unreachable) as caught:
            await read(client)
    key = json.loads(gcp.credentials()["service_account_key"])["private_key"]
    for secret in (client._identity.token, key[60:90], "assertion="):
        assert secret not in caplog.text
        assert secret not in f"{caught.value!r}"

"""A call through libcloud has limits, is repeated only when that is harmless, and shows in traces without its secrets."""

import asyncio
import logging
import socket
import threading
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.clouds.digitalocean.driver import driver_maker
from shared.clouds.digitalocean.errors import VOCABULARY
from shared.clouds.errors import AuthFailed, PermissionDenied, ProviderFault, RateLimited, Unreachable
from shared.clouds.libcloud import client as client_module
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings

pytestmark = pytest.mark.anyio


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["digitalocean"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


def opened(settings: CloudSettings, token: str = "test-key") -> LibcloudClient:
    maker = driver_maker(Credentials({"token": token}), settings)
    return LibcloudClient(maker, VOCABULARY, settings, secrets=(token,), random_fraction=float)


@pytest.fixture
async def client(cloud):
    client = opened(cloud.settings(cloud_call_attempts=3))
    yield client
    await client.close()


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(client_module, "_tracer", provider.get_tracer("test"))
    return exporter.get_finished_spans


def read(client: LibcloudClient):
    return client.request("account.get", "GET", "/v2/account", wants=("account",))


def write(client: LibcloudClient):
    return client.request("tags.create", "POST", "/v2/tags", document={"name": f"test-{uuid4()}"})


def calls(cloud, action: str) -> int:
    return cloud.calls().get(("global", action), 0)


async def test_a_throttled_call_is_repeated_until_its_attempts_are_used(client, cloud):
    before = calls(cloud, "account.get")
    cloud.fault(match={"action": "account.get"}, status=429, retry_after_s=0.01)
    with pytest.raises(RateLimited) as caught:
        await read(client)
    assert caught.value.retry_after_s == 0.01
    assert calls(cloud, "account.get") - before == 3


async def test_a_longer_wish_to_wait_is_left_to_the_caller(client, cloud):
    before = calls(cloud, "account.get")
    cloud.fault(match={"action": "account.get"}, status=429, retry_after_s=30)
    with pytest.raises(RateLimited):
        await read(client)
    assert calls(cloud, "account.get") - before == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"reset": True}, Unreachable),
        ({"cut_body": True}, Unreachable),
        ({"status": 503}, ProviderFault),
    ],
    ids=["reset", "cut body", "503"],
)
async def test_after_a_lost_answer_only_what_reads_is_repeated(client, cloud, fault, error):
    cloud.fault(match={"action": "account.get"}, count=2, **fault)
    assert (await read(client))["account"]["status"] == "active"
    before = calls(cloud, "tags.create")
    cloud.fault(match={"action": "tags.create"}, **fault)
    with pytest.raises(error) as caught:
        await write(client)
    assert caught.value.outcome_unknown
    assert calls(cloud, "tags.create") - before == 1


async def test_a_throttled_write_is_repeated_because_nothing_was_done(client, cloud):
    cloud.fault(match={"action": "tags.create"}, status=429, count=2)
    assert (await write(client))["tag"]["resources"]["count"] == 0


async def test_a_slow_answer_is_unreachable_after_the_read_timeout(cloud):
    client = opened(cloud.settings(cloud_read_timeout_s=0.2, cloud_call_attempts=1))
    cloud.fault(match={"action": "account.get"}, latency_ms=1500, count=1)
    with pytest.raises(Unreachable):
        await read(client)
    await client.close()


async def test_an_answer_that_drips_ends_with_the_limit_of_the_whole_call():
    """Each byte restarts a socket's read time-out; the call has a limit of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{")
        while not stop.wait(0.1):
            connection.sendall(b" ")
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    settings = CloudSettings(
        digitalocean_endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        cloud_read_timeout_s=0.3, cloud_connect_timeout_s=0.2, cloud_call_attempts=1,
    )  # fmt: skip
    client = opened(settings)
    with pytest.raises(Unreachable, match="within 1 s"):
        await read(client)
    stop.set()
    thread.join()
    listener.close()
    await client.close()


async def test_nobody_there_is_unreachable_and_tells_no_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = opened(CloudSettings(digitalocean_endpoint_url=f"http://127.0.0.1:{port}", cloud_call_attempts=1))
    with pytest.raises(Unreachable) as caught:
        await read(client)
    assert str(port) not in str(caught.value)
    await client.close()


async def test_an_endpoint_may_have_a_path_of_its_own():
    """A deployment may reach its clouds through a gateway of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        lines: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            lines.append(connection.recv(65536).split(b"\r\n")[0])
            connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"account": 1}')
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/clouds/one/"
        client = opened(CloudSettings(digitalocean_endpoint_url=url))
        assert await read(client) == {"account": 1}
        thread.join()
        await client.close()
    assert lines == [b"GET /clouds/one/v2/account HTTP/1.1"]


async def test_an_answer_without_what_it_should_have_is_the_provider_s_fault(client):
    with pytest.raises(ProviderFault) as caught:
        await client.request("account.get", "GET", "/v2/account", wants=("castle",))
    assert caught.value.code == "malformed_answer"


async def test_a_token_is_nowhere_in_an_error_a_log_or_a_span(cloud, spans, caplog):
    caplog.set_level(logging.DEBUG)
    client = opened(cloud.settings(), token="dop_v1_secret0123456789")
    with pytest.raises(AuthFailed) as caught:
        await read(client)
    shown = [str(caught.value), repr(caught.value), caplog.text, str([span.to_json() for span in spans()])]
    assert not any("secret0123456789" in text for text in shown)
    assert caught.value.__cause__ is None
    await client.close()


async def test_a_call_is_one_span_with_its_error(client, cloud, spans):
    await read(client)
    cloud.fault(match={"action": "account.get"}, status=403)
    with pytest.raises(PermissionDenied):
        await read(client)
    good, bad = spans()
    assert good.name == bad.name == "digitalocean account get"
    assert good.kind is trace.SpanKind.CLIENT
    assert good.attributes["cloud.provider"] == "digitalocean"
    assert not good.status.description
    assert (bad.status.description, bad.attributes["error.type"]) == ("forbidden", "forbidden")
    assert bad.events == ()


async def test_drivers_are_used_by_one_call_at_a_time(client):
    answers = await asyncio.gather(*(read(client) for _ in range(30)))
    assert len({answer["account"]["uuid"] for answer in answers}) == 1
    assert 1 <= len(client._idle) <= 8


async def test_a_netrc_of_this_machine_does_not_replace_the_token(client, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert (await read(client))["account"]["status"] == "active"


async def test_creates_of_one_token_wait_for_each_other_and_leave_nothing_behind(client):
    inside = 0

    async def create(token: str) -> None:
        nonlocal inside
        async with client.one_create_of(token):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(create("same") for _ in range(10)))
    assert len(client._creating) == 0

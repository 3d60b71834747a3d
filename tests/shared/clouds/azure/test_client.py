"""Azure is asked with time limits, careful repeats, a span and no secret in sight."""

import asyncio

import httpx
import pytest
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.identity.aio import ClientSecretCredential
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.clouds.azure import client as azure_client
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.credential import BearerPolicy, EndpointCredential
from shared.clouds.errors import AuthFailed, NotFound, PermissionDenied, ProviderFault, RateLimited, Unreachable
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings

pytestmark = pytest.mark.anyio

KEYS = Credentials(
    {"tenant_id": "tenant-1", "client_id": "client-1", "client_secret": "s3cret", "subscription_id": "sub-1"}
)
LIST = "virtual_machines.list_by_location"


@pytest.fixture
async def client(simulated_azure):
    client = AzureClient(simulated_azure.credentials(), simulated_azure.settings(), random_fraction=lambda: 0.0)
    yield client
    await client.close()


@pytest.fixture
def spans(monkeypatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(azure_client, "_tracer", provider.get_tracer("test"))
    return exporter


async def ask(client: AzureClient, region: str = "northeurope") -> list[dict[str, object]]:
    return [each async for page in client.pages("compute", LIST, region, region=region) for each in page]


async def test_without_an_endpoint_the_sdk_s_own_credential_and_policy_are_used():
    client = AzureClient(KEYS, CloudSettings())
    compute = await client._client("compute", "eastus")
    metrics = await client._client("metrics", "eastus")
    assert isinstance(client._credential, ClientSecretCredential)
    assert isinstance(compute._config.authentication_policy, AsyncBearerTokenCredentialPolicy)
    assert compute._config.base_url == "https://management.azure.com/"
    assert metrics._config.endpoint == "https://eastus.metrics.monitor.azure.com"
    await client.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_set_endpoint_is_authority_and_manager_and_only_plain_http_has_a_policy_of_ours(scheme):
    client = AzureClient(KEYS, CloudSettings(azure_endpoint_url=f"{scheme}://127.0.0.1:1/"))
    for service in ("compute", "network", "resources", "subscriptions", "metrics"):
        sdk = await client._client(service, "eastus")
        assert isinstance(sdk._config.authentication_policy, BearerPolicy) is (scheme == "http")
    assert isinstance(client._credential, EndpointCredential)
    assert client._credential._url == f"{scheme}://127.0.0.1:1/tenant-1/oauth2/v2.0/token"
    await client.close()


async def test_a_call_is_one_span_with_its_region_and_no_secret(client, spans, simulated_azure):
    with pytest.raises(NotFound):
        await client.call("compute", "virtual_machines.get", "canopy-eastus", "nobody", region="eastus")
    [span] = spans.get_finished_spans()
    assert span.name == "azure compute virtual_machines.get"
    assert span.kind is trace.SpanKind.CLIENT
    assert span.attributes["cloud.region"] == "eastus"
    assert span.attributes["error.type"] in {"ResourceNotFound", "ResourceGroupNotFound"}
    assert "test-secret" not in span.to_json()


async def test_a_read_is_repeated_once_after_a_lost_answer(client, simulated_azure):
    simulated_azure.fault(match={"service": "azure", "action": LIST}, reset=True, count=1)
    assert await ask(client) == []


@pytest.mark.parametrize("fault", [{"cut_body": True}, {"slow_body_ms": 3000}], ids=["cut", "dripping"])
async def test_half_an_answer_is_none(simulated_azure, fault):
    settings = simulated_azure.settings(cloud_read_timeout_s=0.5, cloud_call_attempts=1)
    client = AzureClient(simulated_azure.credentials(), settings)
    await ask(client)
    simulated_azure.fault(match={"service": "azure", "action": LIST}, **fault)
    with pytest.raises((Unreachable, ProviderFault)) as caught:
        await ask(client)
    assert caught.value.outcome_unknown
    await client.close()


async def test_a_wish_to_wait_long_is_handed_on_and_a_short_one_kept(client, simulated_azure):
    match = {"service": "azure", "action": LIST}
    simulated_azure.fault(match=match, status=429, code="throttled", retry_after_s=0.1, count=1)
    assert await ask(client) == []
    simulated_azure.fault(match=match, status=429, code="throttled", retry_after_s=60)
    with pytest.raises(RateLimited) as caught:
        await ask(client)
    assert caught.value.retry_after_s == 60


async def test_a_disk_is_not_attached_twice_after_a_lost_answer(client, simulated_azure):
    action = "virtual_machines.attach_detach_data_disks"
    simulated_azure.fault(match={"service": "azure", "action": action}, reset=True)
    before = sum(count for (_, name), count in simulated_azure.calls().items() if name == action)
    with pytest.raises(Unreachable):
        await client.call("compute", "virtual_machines.begin_attach_detach_data_disks", "canopy-eastus", "nobody", {})
    assert sum(count for (_, name), count in simulated_azure.calls().items() if name == action) == before + 1


async def test_calls_under_way_finish_when_the_account_is_closed(simulated_azure):
    client = AzureClient(simulated_azure.credentials(), simulated_azure.settings())
    await ask(client)
    simulated_azure.fault(match={"service": "azure", "action": LIST}, latency_ms=500, count=1)
    under_way = asyncio.create_task(ask(client))
    await asyncio.sleep(0.2)
    await client.close()
    with pytest.raises(Unreachable):
        await ask(client)
    assert await under_way == []
    assert client._clients == {}


async def test_a_list_that_breaks_off_is_no_list(client, simulated_azure):
    listed, key = "ssh_public_keys.list_by_subscription", {"location": "westeurope", "properties": {}}
    await client.call("resources", "resource_groups.create_or_update", "keys", {"location": "westeurope"})
    for first in range(0, 101, 20):
        numbers = range(first, min(first + 20, 101))
        await asyncio.gather(*(client.call("compute", "ssh_public_keys.create", "keys", f"k{n}", key) for n in numbers))
    pages = client.pages("compute", listed)
    assert len(await anext(pages)) == 100
    simulated_azure.fault(match={"service": "azure", "action": listed}, status=503, code="unavailable")
    with pytest.raises(ProviderFault):
        await anext(pages)
    simulated_azure.clear_faults()
    whole = [each["id"] async for page in client.pages("compute", listed) for each in page]
    assert len(whole) == len(set(whole)) >= 101


async def test_a_reader_reads_and_may_not_write(simulated_azure):
    client = AzureClient(simulated_azure.credentials(2), simulated_azure.settings())
    await ask(client)
    with pytest.raises(PermissionDenied):
        await client.call("resources", "resource_groups.create_or_update", "mine", {"location": "eastus"})
    await client.close()


async def test_expired_credentials_are_refused(simulated_azure):
    client = AzureClient(simulated_azure.credentials(3), simulated_azure.settings())
    with pytest.raises(AuthFailed):
        await ask(client)
    await client.close()


class Entra(httpx.AsyncBaseTransport):
    """A token endpoint that gives out numbered tokens of an hour."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.status != 200:
            return httpx.Response(self.status, headers={"Retry-After": "5"}, text="<html>")
        return httpx.Response(200, json={"access_token": f"token-{self.asked}", "expires_in": 3600})


async def test_a_token_is_asked_for_once_and_again_before_it_ends():
    now_s, entra = 1000.0, Entra()
    credential = EndpointCredential(
        "http://entra",
        "tenant",
        "client",
        lambda: {"client_secret": "secret"},
        timeout=httpx.Timeout(1),
        now_s=lambda: now_s,
    )
    credential._http = httpx.AsyncClient(transport=entra)
    tokens = await asyncio.gather(*(credential.get_token("a/.default") for _ in range(5)))
    assert {each.token for each in tokens} == {"token-1"}
    assert (await credential.get_token("b/.default")).token == "token-2"
    now_s += 3600 - 299
    assert (await credential.get_token("a/.default")).token == "token-3"
    entra.status, now_s = 429, now_s + 3600
    with pytest.raises(RateLimited) as caught:
        await credential.get_token("a/.default")
    assert caught.value.retry_after_s == 5
    await credential.close()

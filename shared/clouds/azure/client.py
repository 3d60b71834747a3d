"""How is one Azure API operation called: bounded, with time limits, careful repeats and a span?"""

from __future__ import annotations

import asyncio
import importlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.core.polling import AsyncPollingMethod
from azure.core.rest import HttpRequest
from opentelemetry import trace

from shared.clouds.azure.credential import BearerPolicy, EndpointCredential, assertion_of, proof_of
from shared.clouds.azure.errors import PROVIDER, from_exception
from shared.clouds.azure.limits import api_of
from shared.clouds.budget.limiter import Limiter
from shared.clouds.errors import CloudError, ProviderFault, RateLimited, Unreachable
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from shared.kit.telemetry import CLOUD_CALLS

GLOBAL = "global"
"""Where calls go that belong to no region."""

_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 2.0
_PLAIN = frozenset({"compute", "dns", "network", "sql", "storage"})
"""Services whose pages are read from the answer's JSON: lists are long, or the SDK's models have names of their own."""
_NOT_REPEATED = ("begin_attach",)
"""Everything else reads, or sets what it names to what it says (PUT, PATCH, DELETE, start, deallocate)."""

# azure-core writes URLs and headers of every request into its log at INFO; tokens have no business near one.
logging.getLogger("azure").setLevel(logging.WARNING)

_tracer = trace.get_tracer("canopy.clouds.azure")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Service:
    """An SDK client and the audience of its tokens; `by_region`: its address is of one region."""

    module: str
    name: str
    scope: str = "https://management.azure.com/.default"
    by_region: bool = False


_SERVICES: Mapping[str, _Service] = {
    "compute": _Service("azure.mgmt.compute.aio", "ComputeManagementClient"),
    "network": _Service("azure.mgmt.network.aio", "NetworkManagementClient"),
    "dns": _Service("azure.mgmt.dns.aio", "DnsManagementClient"),
    "sql": _Service("azure.mgmt.sql.aio", "SqlManagementClient"),
    "storage": _Service("azure.mgmt.storage.aio", "StorageManagementClient"),
    "resources": _Service("azure.mgmt.resource.resources.aio", "ResourceManagementClient"),
    "subscriptions": _Service("azure.mgmt.resource.subscriptions.aio", "SubscriptionClient"),
    # Front Door's own SDK takes 40 MB for the dozen calls that we make; any client of Resource Manager can send them.
    "cdn": _Service("azure.mgmt.resource.subscriptions.aio", "SubscriptionClient"),
    "metrics": _Service(
        "azure.monitor.querymetrics.aio",
        "MetricsClient",
        scope="https://metrics.monitor.azure.com/.default",
        by_region=True,
    ),
}


class AzureClient:
    """One account's door to Azure. SDK clients are imported and made when first needed.

    The SDK itself never repeats and never waits for long work: its answer is that the work was accepted. Bodies and
    answers are JSON as the REST reference shows them.
    """

    def __init__(
        self,
        credentials: Credentials,
        settings: CloudSettings,
        limiter: Limiter | None = None,
        *,
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        self._credentials = credentials
        self._settings = settings
        self._budget = (limiter or Limiter(settings)).account(PROVIDER, credentials["subscription_id"], api_of)
        self._random_fraction = random_fraction
        self._endpoint_url = str(settings.azure_endpoint_url).rstrip("/") if settings.azure_endpoint_url else None
        self._credential: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = asyncio.Lock()
        self._turns = asyncio.Semaphore(settings.cloud_threads_per_account)
        self._under_way = 0
        self._closed = False

    @property
    def subscription_id(self) -> str:
        return self._credentials["subscription_id"]

    @property
    def client_id(self) -> str:
        return self._credentials["client_id"]

    async def call(self, service: str, operation: str, *arguments: Any, region: str = GLOBAL, **named: Any) -> Any:
        """The answer of `operation` (`virtual_machines.get`) as JSON; raises our errors only."""
        group, _, method = operation.rpartition(".")

        async def send() -> Any:
            target = await self._client(service, region)
            act = getattr(getattr(target, group) if group else target, method)
            if method.startswith("begin_"):
                poller = await act(*arguments, polling=_Accepted(), **named)
                return await poller.result()
            if group:
                return await act(*arguments, cls=_as_json, **named)
            return await act(*arguments, **named)

        return await self._attempts(service, region, operation, send)

    async def pages(
        self, service: str, operation: str, *arguments: Any, region: str = GLOBAL, **named: Any
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """The pages of a list until there is no next; the same one twice is a `ProviderFault`, no loop."""
        group, _, method = operation.partition(".")
        listed: Any = None
        seen: set[str] = set()
        answers = _Answers()

        async def read() -> list[dict[str, Any]] | None:
            nonlocal listed
            if listed is None:
                act = getattr(getattr(await self._client(service, region), group), method)
                raw = {"raw_response_hook": answers.take} if service in _PLAIN else {}
                listed = act(*arguments, **named, **raw).by_page()
            page = await anext(listed, None)
            if page is None or service in _PLAIN:
                return None if page is None else answers.things
            return [each.as_dict() async for each in page]

        while (page := await self._attempts(service, region, operation, read)) is not None:
            yield page
            following = listed.continuation_token
            if following is None:
                return
            if following in seen:
                raise ProviderFault("repeated_page", "The same page came twice", provider=PROVIDER, operation=operation)
            seen.add(following)

    async def documents(
        self, service: str, operation: str, path: str, *, region: str = GLOBAL, **query: str
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """As `pages`, of a list that is too long to be made into the SDK's models, which take ten times as long.

        What an answer names as the next page is read at the same host only: the token goes to no other.
        """
        address = f"{path}?{urlencode(query)}"
        seen: set[str] = set()

        async def read() -> dict[str, Any]:
            target = await self._client(service, region)
            response = await target.send_request(HttpRequest("GET", address))
            response.raise_for_status()
            document: dict[str, Any] = response.json()
            return document

        while address not in seen:
            seen.add(address)
            document = await self._attempts(service, region, operation, read)
            yield document["value"]
            following = urlsplit(document.get("nextLink") or "")
            if not following.path:
                return
            address = f"{following.path}?{following.query}"
        raise ProviderFault("repeated_page", "The same page came twice", provider=PROVIDER, operation=operation)

    async def rest(
        self, service: str, operation: str, http_method: str, path: str, version: str, body: Any = None
    ) -> dict[str, Any]:
        """The JSON answer, empty for none, of an API of Resource Manager for which no SDK is imported."""

        async def send() -> dict[str, Any]:
            target = await self._client(service, GLOBAL)
            asked = HttpRequest(http_method, quote(path), params={"api-version": version}, json=body)
            response = await target.send_request(asked)
            response.raise_for_status()
            return response.json() if response.content else {}

        return await self._attempts(service, GLOBAL, operation, send)

    async def close(self) -> None:
        """Calls under way finish; new ones raise `Unreachable`."""
        self._closed = True
        if not self._under_way:
            await self._let_go()

    async def _attempts(
        self, service: str, region: str, operation: str, send: Callable[[], Awaitable[_Value]]
    ) -> _Value:
        harmless = not operation.rpartition(".")[2].startswith(_NOT_REPEATED)
        for attempt in range(1, self._settings.cloud_call_attempts + 1):
            try:
                async with self._budget.turn(f"{service} {operation}", region):
                    return await self._call_once(service, region, operation, send)
            except (RateLimited, Unreachable, ProviderFault) as error:
                wait_s = self._wait_s(error, attempt)
                last = attempt == self._settings.cloud_call_attempts or self._closed
                if last or wait_s > _BACKOFF_MAX_S or (error.outcome_unknown and not harmless):
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("cloud_call_attempts is at least 1")

    async def _call_once(
        self, service: str, region: str, operation: str, send: Callable[[], Awaitable[_Value]]
    ) -> _Value:
        name = operation.replace("begin_", "")
        if self._closed:
            raise Unreachable("closed", "The account was closed", provider=PROVIDER, operation=name)
        CLOUD_CALLS.labels(PROVIDER, name).inc()
        attributes = {
            "cloud.provider": PROVIDER,
            "cloud.region": region,
            "rpc.system": "azure-api",
            "rpc.service": service,
            "rpc.method": name,
        }
        with _tracer.start_as_current_span(
            f"azure {service} {name}",
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # an SDK's message may quote what was sent
            set_status_on_exception=False,
        ) as span:
            self._under_way += 1
            try:
                return await self._in_time(send, name)
            except CloudError as error:
                span.set_status(trace.StatusCode.ERROR, error.code)
                span.set_attribute("error.type", error.code)
                raise
            finally:
                self._under_way -= 1
                if self._closed and not self._under_way:
                    await self._let_go()

    async def _in_time(self, send: Callable[[], Awaitable[_Value]], operation: str) -> _Value:
        """`from None`: a chained SDK exception would carry its unredacted message into a log."""
        limit_s = 2 * (self._settings.cloud_connect_timeout_s + self._settings.cloud_read_timeout_s)
        try:
            async with self._turns, asyncio.timeout(limit_s):
                return await send()
        except TimeoutError:
            raise Unreachable(
                "timeout", f"No answer within {limit_s:g} s", provider=PROVIDER, operation=operation
            ) from None
        except (AzureError, ValueError) as error:
            raise from_exception(error, operation=operation, secrets=self._credentials.values()) from None

    async def _client(self, service: str, region: str) -> Any:
        """Imported in a thread: the modules of an SDK take a third of a second."""
        chosen = _SERVICES[service]
        key = (service, region if chosen.by_region else GLOBAL)
        async with self._making:
            if key not in self._clients:
                module = await asyncio.to_thread(importlib.import_module, chosen.module)
                self._clients[key] = self._make_client(chosen, getattr(module, chosen.name), region)
            return self._clients[key]

    def _make_client(self, service: _Service, kind: Any, region: str) -> Any:
        if self._credential is None:
            self._credential = self._make_credential()
        options: dict[str, Any] = {
            "credential_scopes": [service.scope],
            "retry_policy": AsyncRetryPolicy.no_retries(),
            "permit_redirects": False,
            "connection_timeout": self._settings.cloud_connect_timeout_s,
            "read_timeout": self._settings.cloud_read_timeout_s,
            "user_agent": "canopy",
        }
        if self._endpoint_url is not None and self._endpoint_url.startswith("http:"):
            options["authentication_policy"] = BearerPolicy(self._credential, service.scope)
        if service.by_region:
            endpoint = self._endpoint_url or f"https://{region}.metrics.monitor.azure.com"
            return kind(endpoint, self._credential, **options)
        if self._endpoint_url is not None:
            options["base_url"] = self._endpoint_url
        if service.name == "SubscriptionClient":
            return kind(self._credential, **options)
        return kind(self._credential, self.subscription_id, **options)

    def _make_credential(self) -> Any:
        names = self._credentials["tenant_id"], self._credentials["client_id"]
        if self._endpoint_url is not None:
            limits = httpx.Timeout(self._settings.cloud_read_timeout_s, connect=self._settings.cloud_connect_timeout_s)
            proof = proof_of(self._credentials, self._settings)
            return EndpointCredential(self._endpoint_url, *names, proof, timeout=limits)
        identity = importlib.import_module("azure.identity.aio")
        options = {
            "retry_policy": AsyncRetryPolicy.no_retries(),
            "connection_timeout": self._settings.cloud_connect_timeout_s,
            "read_timeout": self._settings.cloud_read_timeout_s,
        }
        if "client_secret" in self._credentials:
            return identity.ClientSecretCredential(*names, self._credentials["client_secret"], **options)
        return identity.ClientAssertionCredential(*names, assertion_of(self._credentials, self._settings), **options)

    async def _let_go(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for each in (*clients, self._credential):
            if each is not None:
                await each.close()
        self._credential = None

    def _wait_s(self, error: CloudError, attempt: int) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s
        return float(min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2**attempt) * self._random_fraction())


class _Answers:
    """The things of a list's pages as Azure wrote them; the SDK is left with the pages' shells.

    It would make a model of each thing, and we a document of each model again: 1,500 machines took 9 s.
    """

    def __init__(self) -> None:
        self.things: list[dict[str, Any]] = []

    def take(self, response: Any) -> None:
        """The SDK's hook for raw answers; a refusal is passed on as it is."""
        answer = response.http_response
        if answer.status_code == 200:
            document = answer.json()
            self.things = document.get("value") or []
            response.http_response = _Shell(answer, {**document, "value": []})


class _Shell:
    """A page without its things."""

    def __init__(self, answer: Any, document: dict[str, Any]) -> None:
        self._answer = answer
        self._document = document

    def json(self) -> dict[str, Any]:
        return self._document

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)


class _Accepted(AsyncPollingMethod[Any]):
    """The answer that a long operation was accepted with, as JSON; None when it has no body. Nobody polls."""

    def __init__(self) -> None:
        self._document: Any = None

    def initialize(self, _client: Any, initial_response: Any, _deserialization_callback: Any) -> None:
        response = initial_response.http_response
        self._document = response.json() if response.content else None

    async def run(self) -> None:
        return None

    def status(self) -> str:
        return "Succeeded"

    def finished(self) -> bool:
        return True

    def resource(self) -> Any:
        return self._document


def _as_json(response: Any, _deserialized: Any, _headers: Any) -> Any:
    """None for an answer without a body (a deletion's)."""
    return response.http_response.json() if response.http_response.content else None

"""How is one API call of Google Cloud made: in a bounded thread, with time limits, careful repeats and a span."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import logging
import random
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from google.api_core.client_options import ClientOptions
from google.auth.transport.requests import AuthorizedSession
from google.auth.transport.requests import Request as AuthRequest
from opentelemetry import trace

from shared.clouds.budget.limiter import Limiter
from shared.clouds.errors import CloudError, NotFound, ProviderFault, RateLimited, Unreachable
from shared.clouds.gcp.errors import PROVIDER, from_document, from_exception
from shared.clouds.gcp.identity import identity_of
from shared.clouds.gcp.limits import api_of
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from shared.kit.telemetry import CLOUD_CALLS

_MONITORING_URL = "https://monitoring.googleapis.com"
APIS: Mapping[str, tuple[str, str]] = {
    "compute": ("https://compute.googleapis.com", "/compute/v1"),
    "dns": ("https://dns.googleapis.com", "/dns/v1"),
    "sqladmin": ("https://sqladmin.googleapis.com", "/v1"),
    "storage": ("https://storage.googleapis.com", "/storage/v1"),
}
"""Host and version of each API that we call without an SDK: google-auth's session is all that it takes."""
_UNIVERSE = "googleapis.com"
_SDK = "google.cloud.compute_v1"
_REQUESTS = UUID("6f4ff3a5-6a2c-4d5c-9a55-0c9f3f2f4d11")
"""The namespace of the request ids that we derive from tokens."""

CLIENTS: Mapping[str, str] = {
    "disks": "DisksClient",
    "firewalls": "FirewallsClient",
    "images": "ImagesClient",
    "instances": "InstancesClient",
    "snapshots": "SnapshotsClient",
}
"""The SDK's client of each service that we change."""

_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 2.0
_MAKING = threading.Lock()
_NAMING = "insert"
_NAMING_METHODS = (".insert", "managedZones.create")
"""What we insert has a name made of its token: inserted again it exists already, and no second one is made."""

# requests' and urllib3's debug logs show addresses and headers; a service in debug mode must not print them.
for _name in ("urllib3", "google"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_tracer = trace.get_tracer("canopy.clouds.gcp")


class GcpClient:
    """One account's door to Google Cloud. SDK clients are made when first needed, one per service.

    What is read is read over REST, in Google's JSON; the SDK makes the changes of Compute Engine. It is imported by the
    first of them, in its thread: that takes seconds and 95 MB, which whoever only reads an inventory does not pay.
    Changes are called as `*_unary` and answer Google's operation: the SDK's own waiting (`insert(…).result()`) asks
    Google's public address even when another endpoint is set. The SDK never repeats; a throttled call is repeated here,
    and one whose outcome is unknown when repeating it is harmless: it reads, or inserts what has a name of its own.
    """

    def __init__(
        self,
        credentials: Credentials,
        settings: CloudSettings,
        limiter: Limiter | None = None,
        *,
        random_fraction: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.project = credentials["project_id"]
        self.operation_wait_s = settings.gcp_operation_wait_s
        self._settings = settings
        self._budget = (limiter or Limiter(settings)).account(PROVIDER, self.project, api_of)
        self._random_fraction = random_fraction
        self._endpoint = None if settings.gcp_endpoint_url is None else str(settings.gcp_endpoint_url).rstrip("/")
        self._identity = identity_of(credentials, settings, now)
        self._threads = ThreadPoolExecutor(settings.cloud_threads_per_account, thread_name_prefix="gcp")
        self._clients: dict[str, Any] = {}
        self._session: Any = None
        self._closed = False

    async def identify(self) -> str:
        """A new access token proves the key; answers whose it is."""
        await self._repeated("token", "global", lambda: self._identity.refresh(AuthRequest()), harmless=True)
        return str(self._identity.email)

    def request_id(self, token: str, *parts: str) -> str:
        """The id under which Google takes a change once in an hour; the same for the same token and parts.

        Only machines are inserted with one: a deleted thing of the same id would be answered as made, and a failed
        creation as failed, for all that hour.
        """
        return str(uuid5(_REQUESTS, "/".join((self.project, token, *parts))))

    async def call(self, service: str, method: str, region: str, /, **fields: Any) -> Any:
        """The operation, as JSON, that a change by the SDK began, `insert_unary`; raises our errors only.

        `region` is for the span. The project is filled in unless `fields` name one.
        """
        send = partial(self._ask_sdk, service, method, {"project": self.project, **fields})
        operation = f"{service}.{_method_name(method)}"
        harmless = method.startswith(_NAMING)
        return await self._repeated(f"compute {operation}", region, send, harmless=harmless)

    async def read(self, operation: str, region: str, *parts: str, project: str | None = None) -> dict[str, Any]:
        """A thing of Compute Engine as JSON; `parts` are those of its address from the project on.

        What is the default of its type (an empty text, a list without items, 0, False) is left out of it by Google, and
        64-bit numbers are text.
        """
        path = _address(operation, project or self.project, *parts)
        return await self.rest("compute", operation, "GET", path, region)

    async def listed(
        self, operation: str, region: str, *parts: str, **parameters: Any
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """The things of a list of Compute Engine, page by page; `parts` as above. Raises as `rest_pages`."""
        path = _address(operation, self.project, *parts)
        async for page in self.rest_pages("compute", operation, path, region, **parameters):
            yield page.get("items", [])

    async def first(self, operation: str, region: str, *parts: str, **parameters: Any) -> dict[str, Any] | None:
        """The first thing of such a list, None of an empty one."""
        async for page in self.listed(operation, region, *parts, **parameters):
            if page:
                return page[0]
        return None

    async def measured(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer of a GET of Cloud Monitoring, `path` from the project on."""
        url = f"{self._endpoint or _MONITORING_URL}/v3/projects/{self.project}/{path}"
        found: dict[str, Any] = await self._repeated(
            f"monitoring {path}.list", "global", partial(self._ask_rest, url, parameters), harmless=True
        )
        return found

    async def rest(
        self,
        api: str,
        operation: str,
        http_method: str,
        path: str,
        region: str = "global",
        *,
        body: Mapping[str, Any] | None = None,
        secrets: tuple[str, ...] = (),
        **parameters: Any,
    ) -> dict[str, Any]:
        """The JSON answer of a call of one of `APIS`, `path` from its version on; raises our errors only.

        `operation` is Google's name of the method. What is in `secrets` is cut out of an error's message.
        """
        host, version = APIS[api]
        url = f"{self._endpoint or host}{version}{path}"
        send = partial(self._ask_rest, url, parameters, http_method, body, operation, secrets)
        harmless = http_method == "GET" or operation.endswith(_NAMING_METHODS)
        found: dict[str, Any] = await self._repeated(f"{api} {operation}", region, send, harmless=harmless)
        return found

    async def rest_pages(
        self,
        api: str,
        operation: str,
        path: str,
        region: str = "global",
        *,
        http_method: str = "GET",
        **parameters: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """The answers of a list until there is no next page; the same one twice is a `ProviderFault`, no loop.

        `http_method`: some lists Google answers to a POST only.
        """
        token: str | None = None
        while True:
            page = await self.rest(api, operation, http_method, path, region, pageToken=token, **parameters)
            yield page
            following = page.get("nextPageToken")
            if not following:
                return
            if following == token:
                raise ProviderFault("repeated_page", "The same page came twice", provider=PROVIDER, operation=operation)
            token = following

    async def close(self) -> None:
        """Calls under way finish; new ones raise `Unreachable`."""
        self._closed = True
        self._threads.shutdown(wait=False)

    async def _repeated(self, name: str, region: str, send: Callable[[], Any], *, harmless: bool) -> Any:
        for attempt in range(1, self._settings.cloud_call_attempts + 1):
            try:
                async with self._budget.turn(name, region):
                    return await self._call_once(name, region, send)
            except (RateLimited, Unreachable, ProviderFault) as error:
                wait_s = self._wait_s(error, attempt)
                last = attempt == self._settings.cloud_call_attempts or self._closed
                if last or wait_s > _BACKOFF_MAX_S or (error.outcome_unknown and not harmless):
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("cloud_call_attempts is at least 1")

    async def _call_once(self, name: str, region: str, send: Callable[[], Any]) -> Any:
        service, _, operation = name.rpartition(" ")
        if self._closed:
            raise Unreachable("closed", "The account was closed", provider=PROVIDER, operation=operation)
        CLOUD_CALLS.labels(PROVIDER, operation).inc()
        attributes = {
            "cloud.provider": PROVIDER,
            "cloud.region": region,
            "rpc.system": "google-api",
            "rpc.service": service or "oauth2",
            "rpc.method": operation,
        }
        with _tracer.start_as_current_span(
            f"gcp {name}",
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # an SDK's message may quote what was sent
            set_status_on_exception=False,
        ) as span:
            try:
                return await self._in_thread(send, operation)
            except CloudError as error:
                span.set_status(trace.StatusCode.ERROR, error.code)
                span.set_attribute("error.type", error.code)
                raise

    async def _in_thread(self, send: Callable[[], Any], operation: str) -> Any:
        """Wait for the thread, but not for ever: a body that drips keeps a socket's read time-out from firing."""
        context = contextvars.copy_context()
        limit_s = 2 * (self._settings.cloud_connect_timeout_s + self._settings.cloud_read_timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, context.run, self._translated, send, operation
                )
        except TimeoutError:
            raise Unreachable(
                "timeout", f"No answer within {limit_s:g} s", provider=PROVIDER, operation=operation
            ) from None

    def _translated(self, send: Callable[[], Any], operation: str) -> Any:
        """In a thread. `from None`: a chained SDK exception would carry its unredacted message into a log."""
        try:
            return send()
        except CloudError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK, google-auth, requests and protobuf share no base
            raise from_exception(error, operation=operation, secrets=self._identity.secrets()) from None

    def _ask_sdk(self, service: str, method: str, fields: Mapping[str, Any]) -> Any:
        client = self._client(service)
        answer = getattr(client, method)(request=dict(fields), retry=None, timeout=self._settings.cloud_read_timeout_s)
        return type(answer).to_dict(
            answer,
            use_integers_for_enums=False,
            preserving_proto_field_name=False,
            always_print_fields_with_no_presence=False,
        )

    def _ask_rest(
        self,
        url: str,
        parameters: Mapping[str, Any],
        http_method: str = "GET",
        body: Mapping[str, Any] | None = None,
        operation: str = "",
        secrets: tuple[str, ...] = (),
    ) -> Any:
        limits = (self._settings.cloud_connect_timeout_s, self._settings.cloud_read_timeout_s)
        with _MAKING:
            if self._session is None:
                self._session = AuthorizedSession(self._identity)  # type: ignore[no-untyped-call]
        answer = self._session.request(http_method, url, params=parameters, json=body, timeout=limits)
        document = _document_of(answer)
        if answer.status_code >= 400:
            raise from_document(
                document, answer.status_code, answer.headers.get("retry-after"),
                operation=operation or url.rpartition("/")[2], secrets=(*self._identity.secrets(), *secrets),
            )  # fmt: skip
        return document

    def _client(self, service: str) -> Any:
        with _MAKING:
            if service not in self._clients:
                # The universe is named, or the SDK takes it from an environment variable of this process.
                options = ClientOptions(api_endpoint=self._endpoint, universe_domain=_UNIVERSE)
                made = getattr(importlib.import_module(_SDK), CLIENTS[service])
                self._clients[service] = made(credentials=self._identity, client_options=options)
            return self._clients[service]

    def _wait_s(self, error: CloudError, attempt: int) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s
        return float(min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2**attempt) * self._random_fraction())


def _address(operation: str, *parts: str) -> str:
    """The address of a thing of a project. A part that is none would make it another thing's: that is not found."""
    if {"", ".", ".."} & set(parts):
        raise NotFound("notFound", f"There is no {'/'.join(parts)}", provider=PROVIDER, operation=operation)
    return "/projects/" + "/".join(quote(each, safe=":") for each in parts)


def _document_of(answer: Any) -> Any:
    """An error need not be JSON: a proxy on the way answers in HTML."""
    try:
        return answer.json() if answer.content else {}
    except ValueError:
        if answer.status_code >= 400:
            return {}
        raise


def _method_name(method: str) -> str:
    """Google's name of an SDK method: `set_labels_unary` is `setLabels`."""
    first, *rest = method.removesuffix("_unary").split("_")
    return first + "".join(each.title() for each in rest)

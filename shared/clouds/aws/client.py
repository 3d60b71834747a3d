"""How is one AWS API operation called: in a bounded thread, with time limits, careful repeats and a span."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import random
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError
from opentelemetry import trace

from shared.clouds.aws import listing
from shared.clouds.aws.errors import PROVIDER, from_exception
from shared.clouds.aws.limits import api_of
from shared.clouds.aws.sdk_models import CutModels
from shared.clouds.aws.sessions import Keys, sessions_of
from shared.clouds.budget.limiter import Limiter
from shared.clouds.errors import CloudError, ProviderFault, RateLimited, Unreachable
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from shared.kit.telemetry import CLOUD_CALLS

DEFAULT_REGION = "us-east-1"
"""Asked for what belongs to no region (who am I, which regions are there) when the credentials name no other."""

_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 2.0
_MAKING = threading.Lock()
"""boto3 sessions are not safe to use from several threads; clients are."""
_READING = ("Describe", "Get", "List")
_TOKENS = ("WebIdentityToken", "ExternalId")
"""What STS is told of us and may quote."""

# botocore writes headers and signatures into its debug log; a service in debug mode must not print them.
logging.getLogger("botocore").setLevel(logging.WARNING)

_tracer = trace.get_tracer("canopy.clouds.aws")


class AwsClient:
    """One account's door to AWS. SDK clients are made when first needed, one per service and region.

    The SDK itself never repeats: CreateSnapshot repeated after a lost answer makes a second snapshot. `call` repeats a
    throttled call, and one whose outcome is unknown when repeating it is harmless: it reads, or carries a ClientToken.
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
        self._credentials = credentials
        self._sessions = sessions_of(credentials, settings, now)
        self._settings = settings
        principal = credentials.get("role_arn") or credentials["access_key_id"]
        self._budget = (limiter or Limiter(settings)).account(PROVIDER, principal, api_of)
        self._random_fraction = random_fraction
        self._threads = ThreadPoolExecutor(settings.cloud_threads_per_account, thread_name_prefix="aws")
        self._clients: OrderedDict[tuple[str, str, Keys], Any] = OrderedDict()
        self._closed = False

    @property
    def default_region(self) -> str:
        return self._credentials.get("default_region") or DEFAULT_REGION

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of `operation` (as AWS spells it: `RunInstances`); raises our errors only."""
        harmless = operation.startswith(_READING) or "ClientToken" in parameters
        for attempt in range(1, self._settings.cloud_call_attempts + 1):
            try:
                async with self._budget.turn(f"{service} {operation}", region):
                    return await self._call_once(service, region, operation, parameters)
            except (RateLimited, Unreachable, ProviderFault) as error:
                wait_s = self._wait_s(error, attempt)
                last = attempt == self._settings.cloud_call_attempts or self._closed
                if last or wait_s > _BACKOFF_MAX_S or (error.outcome_unknown and not harmless):
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("cloud_call_attempts is at least 1")

    async def pages(
        self, service: str, region: str, operation: str, **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """The answers of a paged read until there is no NextToken; the same one twice is a `ProviderFault`, no loop."""
        token: str | None = None
        while True:
            more = {} if token is None else {"NextToken": token}
            page = await self.call(service, region, operation, **parameters, **more)
            yield page
            following = page.get("NextToken") or None
            if following is None:
                return
            if following == token:
                raise ProviderFault("repeated_page", "The same page came twice", provider=PROVIDER, operation=operation)
            token = following

    async def close(self) -> None:
        """Calls under way finish; new ones raise `Unreachable`."""
        self._closed = True
        self._threads.shutdown(wait=False)

    async def _call_once(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if self._closed:
            raise Unreachable("closed", "The account was closed", provider=PROVIDER, operation=operation)
        CLOUD_CALLS.labels(PROVIDER, operation).inc()
        attributes = {
            "cloud.provider": PROVIDER,
            "cloud.region": region,
            "rpc.system": "aws-api",
            "rpc.service": service,
            "rpc.method": operation,
        }
        with _tracer.start_as_current_span(
            f"aws {service} {operation}",
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # an SDK's message may quote what was signed
            set_status_on_exception=False,
        ) as span:
            try:
                answer = await self._in_thread(partial(self._send, service, region, operation, parameters), operation)
            except CloudError as error:
                span.set_status(trace.StatusCode.ERROR, error.code)
                span.set_attribute("error.type", error.code)
                raise
            span.set_attribute("aws.request_id", str(answer.get("ResponseMetadata", {}).get("RequestId", "")))
            return answer

    async def _in_thread(self, send: Callable[[], dict[str, Any]], operation: str) -> dict[str, Any]:
        """Wait for the thread, but not for ever: a body that drips keeps a socket's read time-out from firing."""
        context = contextvars.copy_context()
        limit_s = 2 * (self._settings.cloud_connect_timeout_s + self._settings.cloud_read_timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, send)
        except TimeoutError:
            raise Unreachable(
                "timeout", f"No answer within {limit_s:g} s", provider=PROVIDER, operation=operation
            ) from None

    def _send(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """In a thread. `from None`: a chained SDK exception would carry its unredacted message into a log."""
        try:
            client = self._client(service, region, self._sessions.current(self._ask_sts))
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise from_exception(error, operation=operation, secrets=self._sessions.secrets()) from None
        return answer

    def _ask_sts(self, keys: Keys, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """For the keys of a role: regionally, as AWS advises, and in the thread of the call that needs them."""
        CLOUD_CALLS.labels(PROVIDER, operation).inc()
        secrets = (*self._sessions.secrets(), *(str(parameters[name]) for name in _TOKENS if name in parameters))
        try:
            client = self._client("sts", self.default_region, keys)
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise from_exception(error, operation=operation, secrets=secrets) from None
        return answer

    def _client(self, service: str, region: str, keys: Keys) -> Any:
        key = (service, region, keys)
        with _MAKING:
            if key not in self._clients:
                self._clients[key] = self._make_client(service, region, keys)
            self._clients.move_to_end(key)
            while len(self._clients) > self._settings.cloud_clients_per_account:
                self._clients.popitem(last=False)  # not closed: another thread may be using it; it goes when that ends
            return self._clients[key]

    def _make_client(self, service: str, region: str, keys: Keys) -> Any:
        unsigned = {"signature_version": UNSIGNED} if keys.access_key_id is None else {}
        endpoint = self._settings.aws_endpoint_url
        client = _session().client(
            service,
            region_name=region,
            endpoint_url=None if endpoint is None else str(endpoint).rstrip("/"),
            # Without any the SDK would look for some on this machine; what is not signed shows none.
            aws_access_key_id=keys.access_key_id or "unsigned",
            aws_secret_access_key=keys.secret_access_key or "unsigned",
            aws_session_token=keys.session_token,
            config=Config(
                **unsigned,
                connect_timeout=self._settings.cloud_connect_timeout_s,
                read_timeout=self._settings.cloud_read_timeout_s,
                retries={"total_max_attempts": 1, "mode": "standard"},
                max_pool_connections=self._settings.cloud_threads_per_account,
                tcp_keepalive=True,
                ignore_configured_endpoint_urls=True,
                user_agent_extra="canopy",
            ),
        )
        if service == "ec2":
            listing.register(client.meta.events, client.meta.service_model)
        return client

    def _wait_s(self, error: CloudError, attempt: int) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s
        return float(min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2**attempt) * self._random_fraction())


@cache
def _session() -> boto3.Session:
    """The session of all accounts: each of its own would hold AWS's models again.

    It reads nothing of the machine it runs on: no profile, no ~/.aws; every client gets its account's credentials.
    """
    nowhere = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    session = botocore.session.Session(session_vars=nowhere)
    models = Loader([Loader.BUILTIN_DATA_PATH], CutModels(), include_default_search_paths=False)
    session.register_component("data_loader", models)
    return boto3.Session(botocore_session=session)

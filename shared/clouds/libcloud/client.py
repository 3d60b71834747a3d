"""How is one call of a blocking libcloud driver made: in a bounded thread, with limits, careful repeats, a span?"""

from __future__ import annotations

import asyncio
import contextvars
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from opentelemetry import trace

from shared.clouds.budget.limiter import AccountBudget, Limiter
from shared.clouds.budget.rate import Api
from shared.clouds.errors import CloudError, ProviderFault, RateLimited, Unreachable
from shared.clouds.libcloud.errors import Vocabulary
from shared.clouds.libcloud.notices import Notice, notice_of
from shared.clouds.settings import CloudSettings
from shared.kit.telemetry import CLOUD_CALLS

_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 2.0

_tracer = trace.get_tracer("canopy.clouds.libcloud")

_Result = TypeVar("_Result")


class LibcloudClient:
    """One account's door to its cloud. A driver holds the state of its call, so each call under way has its own.

    None of these clouds takes an idempotency token: `call` repeats what was throttled, and after a lost answer only
    what `reads`. Their APIs are one address for all regions: the region of a call is what it concerns, for the span.
    """

    def __init__(
        self,
        make_driver: Callable[[], Any],
        vocabulary: Vocabulary,
        settings: CloudSettings,
        *,
        secrets: tuple[str, ...],
        budget: AccountBudget | None = None,
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        self._make_driver = make_driver
        self._vocabulary = vocabulary
        self._settings = settings
        self._budget = budget or Limiter(settings).account(vocabulary.provider, "", lambda _: Api("requests"))
        self._secrets = secrets
        self._random_fraction = random_fraction
        self._threads = ThreadPoolExecutor(settings.cloud_threads_per_account, thread_name_prefix=vocabulary.provider)
        self._idle: list[Any] = []
        self._creating: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._closed = False

    @property
    def provider(self) -> str:
        return self._vocabulary.provider

    async def call(
        self, operation: str, ask: Callable[[Any], _Result], *, region: str = "global", reads: bool
    ) -> _Result:
        """What `ask` makes of a driver, in a thread; raises our errors only. `operation` is `droplets.create`."""
        for attempt in range(1, self._settings.cloud_call_attempts + 1):
            try:
                async with self._budget.turn(operation, region):
                    return await self._call_once(operation, ask, region)
            except (RateLimited, Unreachable, ProviderFault) as error:
                wait_s = self._wait_s(error, attempt)
                last = attempt == self._settings.cloud_call_attempts or self._closed
                if last or wait_s > _BACKOFF_MAX_S or (error.outcome_unknown and not reads):
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("cloud_call_attempts is at least 1")

    async def request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        region: str = "global",
        query: Mapping[str, Any] | None = None,
        document: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        wants: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """The JSON object that a path answers, for what the driver has no method for; empty without a body.

        `ProviderFault` when it lacks one of `wants`.
        """
        ask = partial(_ask, method, path, dict(query or {}), document, dict(headers or {}), wants)
        return await self.call(operation, ask, region=region, reads=method == "GET")

    @contextmanager
    def reading(self, operation: str) -> Iterator[None]:
        """An answer that is read in here and lacks what it should have is a `ProviderFault`, not a KeyError."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._vocabulary.from_exception(error, operation=operation) from None

    @asynccontextmanager
    async def one_create_of(self, token: str) -> AsyncIterator[None]:
        """One create of a token at a time in this process; between processes the caller's journal sees to that."""
        lock = self._creating.setdefault(token, asyncio.Lock())
        async with lock:
            yield

    async def close(self) -> None:
        """Calls under way finish; new ones raise `Unreachable`."""
        self._closed = True
        self._threads.shutdown(wait=False)
        self._idle.clear()

    async def _call_once(self, operation: str, ask: Callable[[Any], _Result], region: str) -> _Result:
        if self._closed:
            raise Unreachable("closed", "The account was closed", provider=self.provider, operation=operation)
        CLOUD_CALLS.labels(self.provider, operation).inc()
        service, _, method = operation.partition(".")
        attributes = {
            "cloud.provider": self.provider,
            "cloud.region": region,
            "rpc.system": "libcloud",
            "rpc.service": service,
            "rpc.method": method,
        }
        with _tracer.start_as_current_span(
            f"{self.provider} {service} {method}",
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # a provider's message may quote what was sent
            set_status_on_exception=False,
        ) as span:
            try:
                answer, notice = await self._in_thread(partial(self._ask, ask, operation), operation)
            except CloudError as error:
                span.set_status(trace.StatusCode.ERROR, error.code)
                span.set_attribute("error.type", error.code)
                raise
        if notice is not None:
            self._budget.noticed(operation, region, notice.remaining, notice.reset_in_s)
        return answer

    async def _in_thread(self, ask: Callable[[], _Result], operation: str) -> _Result:
        """Wait for the thread, but not for ever: a body that drips keeps a socket's read time-out from firing."""
        context = contextvars.copy_context()
        limit_s = 2 * (self._settings.cloud_connect_timeout_s + self._settings.cloud_read_timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, ask)
        except TimeoutError:
            raise Unreachable(
                "timeout", f"No answer within {limit_s:g} s", provider=self.provider, operation=operation
            ) from None

    def _ask(self, ask: Callable[[Any], _Result], operation: str) -> tuple[_Result, Notice | None]:
        """In a thread. `from None`: a chained driver's exception would carry its unredacted message into a log."""
        try:
            driver = self._idle.pop() if self._idle else self._make_driver()
        except IndexError:  # another thread took the last idle one
            driver = self._make_driver()
        try:
            return ask(driver), notice_of(driver.connection.last_headers, time.time())
        except Exception as error:  # noqa: BLE001 - drivers raise whatever their parsers stumble over
            raise self._vocabulary.from_exception(error, operation=operation, secrets=self._secrets) from None
        finally:
            if not self._closed:
                self._idle.append(driver)

    def _wait_s(self, error: CloudError, attempt: int) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s
        return float(min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2**attempt) * self._random_fraction())


def _ask(
    method: str,
    path: str,
    query: dict[str, Any],
    document: Mapping[str, Any] | None,
    headers: dict[str, str],
    wants: tuple[str, ...],
    driver: Any,
) -> dict[str, Any]:
    body = None if document is None else json.dumps(document)
    found = driver.connection.request(path, params=query, data=body, headers=headers, method=method).object
    answer: dict[str, Any] = found if isinstance(found, dict) else {}
    for name in wants:
        answer[name]
    return answer

"""May this call be sent now? One process's door to all budgets: waits for a turn, and learns from what comes back."""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from uuid import uuid4

from shared.clouds.budget.driver import Driver
from shared.clouds.budget.ledger import Ledger
from shared.clouds.budget.rate import Api
from shared.clouds.budget.turns import Priority
from shared.clouds.errors import CloudError, RateLimited, Unreachable
from shared.clouds.settings import CloudSettings

OWN_CODE = "api_budget_spent"
"""The code of a `RateLimited` that no cloud was asked for."""

_LANES_MAX = 2000
_priority: ContextVar[Priority] = ContextVar("priority", default=Priority.PEOPLE)


@contextmanager
def in_background() -> Iterator[None]:
    """Calls in here (and in tasks begun in here) let those pass for which somebody waits."""
    token = _priority.set(Priority.BACKGROUND)
    try:
        yield
    finally:
        _priority.reset(token)


class Limiter:
    """All budgets of this process; without a `ledger` it shares them with nobody.

    `process` names it among the others; `now_s` is the time since the epoch, which processes compare.
    """

    def __init__(
        self,
        settings: CloudSettings,
        ledger: Ledger | None = None,
        *,
        process: str = "",
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._process = process or uuid4().hex[:12]
        self._now_s = now_s
        self._drivers: OrderedDict[str, Driver] = OrderedDict()

    def account(self, provider: str, identity: str, api_of: Callable[[str], Api]) -> AccountBudget:
        """The budgets of one account; `identity` is what the provider counts by (account, project, token).

        `api_of` says what is counted together with a call, by the call's name.
        """
        return AccountBudget(self, provider, identity, api_of)

    def driver(self, provider: str, identity: str, region: str, api: Api) -> Driver:
        """What drives the lane of one budget."""
        key = budget_key(provider, identity, region if api.regional else "", api.name)
        known = self._drivers.get(key)
        if known is None:
            first_per_s = self._settings.cloud_budget_first_per_s
            if first_per_s is not None:
                api = replace(api, rate_per_s=first_per_s, burst=first_per_s)
            known = self._drivers[key] = Driver(key, provider, api, self._process, self._ledger, self._now_s)
            self._forget_idle()
        self._drivers.move_to_end(key)
        return known

    def wait_max_s(self, priority: Priority) -> float:
        """How long a call may wait for its turn."""
        if priority is Priority.PEOPLE:
            return self._settings.cloud_budget_wait_s
        return self._settings.cloud_budget_background_wait_s

    async def close(self) -> None:
        """Let go of timers and subscriptions; what waits is refused by nobody but its own deadline. Idempotent."""
        for driver in list(self._drivers.values()):
            await driver.close()

    def _forget_idle(self) -> None:
        for key, driver in list(self._drivers.items())[: max(0, len(self._drivers) - _LANES_MAX)]:
            if driver.is_idle:
                del self._drivers[key]


class AccountBudget:
    """Through this every call of an account goes."""

    def __init__(self, limiter: Limiter, provider: str, identity: str, api_of: Callable[[str], Api]) -> None:
        self._limiter = limiter
        self._provider = provider
        self._identity = identity
        self._api_of = api_of

    @asynccontextmanager
    async def turn(self, name: str, region: str) -> AsyncIterator[None]:
        """Inside, the call `name` may be sent once; what it raises is learned from.

        A region's calls of one name are a scope: scopes take turns. Raises RateLimited with the code `OWN_CODE`
        when the turn would not come in time; `retry_after_s` says when it would.
        """
        driver = self._driver(name, region)
        priority = _priority.get()
        limit_s = self._limiter.wait_max_s(priority)
        try:
            permit = await driver.acquire(f"{region}/{name}", priority, limit_s)
        except TimeoutError:
            raise RateLimited(
                OWN_CODE, "Too many calls of this kind are waiting for their turn", provider=self._provider,
                operation=name, retry_after_s=round(driver.wait_s(), 3),
            ) from None  # fmt: skip
        try:
            yield
        except RateLimited as error:
            driver.throttled(permit, error.retry_after_s)
            raise
        except Unreachable:
            raise  # nobody counted it, or somebody did: it shows nothing
        except CloudError:
            driver.answered(permit)
            raise
        driver.answered(permit)

    def noticed(self, name: str, region: str, remaining: float, reset_in_s: float) -> None:
        """An answer to the call `name` said that `remaining` more are taken in the next `reset_in_s` seconds."""
        self._driver(name, region).noticed(remaining, reset_in_s)

    def _driver(self, name: str, region: str) -> Driver:
        return self._limiter.driver(self._provider, self._identity, region, self._api_of(name))


def budget_key(provider: str, identity: str, region: str, api: str) -> str:
    """A key of two subject tokens: the provider's name as the registry has it, and a digest of the rest.

    Identities may be secrets (tokens) and regions a tenant's text: neither may be read, or be dots and wildcards of a
    subject. Raises ValueError for what no provider is called.
    """
    if not re.fullmatch(r"[a-z0-9_-]+", provider):
        raise ValueError("not the name of a provider")
    digest = hashlib.sha256(f"{provider}\x00{identity}\x00{region}\x00{api}".encode()).hexdigest()
    return f"{provider}.{digest[:32]}"

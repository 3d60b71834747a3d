"""Which providers there are, and how an account at one of them is opened."""

from __future__ import annotations

import importlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Catalog, Cloud
from shared.clouds.errors import FieldProblem, InvalidRequest, Unsupported
from shared.clouds.list_prices import ListPrices
from shared.clouds.models import Credentials, MachineType, ResourceOffer
from shared.clouds.settings import CloudSettings


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a provider's code is, as `module:attribute`; imported when needed, since SDKs cost seconds and memory."""

    catalog: str
    cloud: str
    machine_types: str
    """A function without arguments that gives the sizes of machines by name."""
    metrics_period_s: int = 300
    """The width of a point that the provider publishes for every machine; what is asked for when nobody says more."""
    metrics_step_s: int = 60
    """A multiple of this is what the provider answers at all."""


PROVIDERS: Mapping[str, _Entry] = {
    "aws": _Entry(
        catalog="shared.clouds.aws.catalog:AwsCatalog",
        cloud="shared.clouds.aws.cloud:open_account",
        machine_types="shared.clouds.aws.machine_types:machine_types",
        metrics_step_s=1,
    ),
    "azure": _Entry(
        catalog="shared.clouds.azure.catalog:AzureCatalog",
        cloud="shared.clouds.azure.cloud:open_account",
        machine_types="shared.clouds.azure.machine_types:machine_types",
    ),
    "digitalocean": _Entry(
        catalog="shared.clouds.digitalocean.catalog:DigitalOceanCatalog",
        cloud="shared.clouds.digitalocean.cloud:open_account",
        machine_types="shared.clouds.digitalocean.machine_types:machine_types",
    ),
    "gcp": _Entry(
        catalog="shared.clouds.gcp.catalog:GcpCatalog",
        cloud="shared.clouds.gcp.cloud:open_account",
        machine_types="shared.clouds.gcp.machine_types:machine_types",
    ),
    "linode": _Entry(
        catalog="shared.clouds.linode.catalog:LinodeCatalog",
        cloud="shared.clouds.linode.cloud:open_account",
        machine_types="shared.clouds.linode.machine_types:machine_types",
        metrics_step_s=300,
    ),
    "vultr": _Entry(
        catalog="shared.clouds.vultr.catalog:VultrCatalog",
        cloud="shared.clouds.vultr.cloud:open_account",
        machine_types="shared.clouds.vultr.machine_types:machine_types",
        metrics_period_s=86_400,
        metrics_step_s=86_400,
    ),
}


def provider_names() -> tuple[str, ...]:
    return tuple(PROVIDERS)


@cache
def catalog_of(provider_name: str) -> Catalog:
    """What the provider takes: credentials, resource types. Imports no SDK. `Unsupported` for an unknown provider."""
    return cast("Catalog", _load(_entry(provider_name).catalog)())


def find_offer(provider_name: str, resource_type: str, resource_subtype: str) -> ResourceOffer | None:
    """What a provider says of a kind of resource; None when it does not provision it. `Unsupported` as above."""
    kind = (resource_type, resource_subtype)
    offers = catalog_of(provider_name).offers()
    return next((each for each in offers if (each.resource_type, each.resource_subtype) == kind), None)


def machine_types_of(provider_name: str) -> Mapping[str, MachineType]:
    """The known sizes of machines by name. Imports no SDK. `Unsupported` as above."""
    return cast("Mapping[str, MachineType]", _load(_entry(provider_name).machine_types)())


@cache
def list_prices_of(provider_name: str) -> ListPrices:
    """What things cost there by the provider's list. Imports no SDK. `Unsupported` as above."""
    _entry(provider_name)
    return ListPrices(Path(__file__).with_name(provider_name))


def metrics_period_of(provider_name: str, wanted_s: int | None) -> int:
    """The width in seconds of the points to ask a provider for; without a wish what it publishes for every machine.

    `InvalidRequest` naming `metrics_period_s` for one that the provider does not answer.
    """
    entry = _entry(provider_name)
    period_s = entry.metrics_period_s if wanted_s is None else wanted_s
    if period_s % entry.metrics_step_s:
        detail = f"is a multiple of {entry.metrics_step_s} at {provider_name}"
        raise InvalidRequest(
            "invalid_period",
            f"metrics_period_s {detail}",
            provider=provider_name,
            operation="open",
            problems=(FieldProblem("metrics_period_s", detail),),
        )
    return period_s


def open_cloud(
    provider_name: str, credentials: Mapping[str, Any], settings: CloudSettings, limiter: Limiter | None = None
) -> Cloud:
    """An account at a provider, ready to be asked; nothing is sent yet, and the caller closes it.

    Its calls go through `limiter`; without one it learns for itself how often it may call.

    `InvalidRequest` naming the field when the credentials do not fit the provider's schema, `Unsupported` for an
    unknown provider.
    """
    checked = catalog_of(provider_name).credentials(credentials)
    return cast("Cloud", _load(_entry(provider_name).cloud)(checked, settings, limiter))


class Clouds:
    """The accounts that a process has open: opened once, kept, and reopened when their credentials change.

    More than `cloud_accounts_open` are not kept: each holds threads and SDK clients of about 10 MB.
    """

    def __init__(
        self, settings: CloudSettings, limiter: Limiter | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._now_s = now_s
        self._limiter = limiter or Limiter(settings)
        self._open: OrderedDict[str, tuple[str, Cloud]] = OrderedDict()
        self._replaced: list[tuple[float, str, Cloud]] = []

    async def account(self, key: str, provider_name: str, credentials: Credentials) -> Cloud:
        """The cloud of one account; `key` is the caller's name for it (our provider id). Do not close it.

        Raises as `open_cloud`. With other credentials than last time a new one is opened; the old one goes on for
        `cloud_handover_s`, because one piece of work is many calls, and is closed by whoever comes then.
        """
        await self._close_replaced(self._now_s())
        fingerprint = f"{provider_name}:{credentials.fingerprint()}"
        known = self._open.get(key)
        if known is not None and known[0] == fingerprint:
            self._open.move_to_end(key)
            return known[1]
        cloud = self.open(provider_name, credentials)
        self._open[key] = (fingerprint, cloud)
        self._open.move_to_end(key)
        while len(self._open) > self._settings.cloud_accounts_open:
            self._open.popitem(last=False)  # not closed: somebody may be asking it; it goes when the last one is done
        if known is not None:
            self._replaced.append((self._now_s() + self._settings.cloud_handover_s, key, known[1]))
        return cloud

    def open(self, provider_name: str, credentials: Mapping[str, Any]) -> Cloud:
        """An account that is not kept, out of the same budgets; the caller closes it. Raises as `open_cloud`."""
        return open_cloud(provider_name, credentials, self._settings, self._limiter)

    async def forget(self, key: str) -> None:
        """Close an account whose provider was removed, at once also what it had before. Idempotent."""
        known = self._open.pop(key, None)
        replaced = [cloud for _, owner, cloud in self._replaced if owner == key]
        self._replaced = [each for each in self._replaced if each[1] != key]
        for cloud in (*replaced, *(() if known is None else (known[1],))):
            await cloud.close()

    async def close(self) -> None:
        """Close every account; for the end of the process."""
        await self._close_replaced(math.inf)
        while self._open:
            _, (_, cloud) = self._open.popitem()
            await cloud.close()
        await self._limiter.close()

    async def _close_replaced(self, until_s: float) -> None:
        due = [each for each in self._replaced if each[0] <= until_s]
        self._replaced = [each for each in self._replaced if each[0] > until_s]
        for _, _, cloud in due:
            await cloud.close()


def _entry(provider_name: str) -> _Entry:
    entry = PROVIDERS.get(provider_name)
    if entry is None:
        raise Unsupported(
            "unsupported_provider",
            f"Unsupported provider: {provider_name}",
            provider=provider_name,
            operation="open",
            problems=(FieldProblem("provider_name", f"is one of {', '.join(PROVIDERS)}"),),
        )
    return entry


def _load(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)

"""How do accounts come, change and go? Nothing is stored that was not tried at the cloud; health.py watches them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.providers import (
    HEALTHY,
    Health,
    check_regions,
    invalid,
    not_asked,
    refusal,
)
from services.provisioner.storage import providers, resources
from services.provisioner.storage.credentials import publish, withdraw
from shared.bus.credentials import seal_credentials
from shared.bus.router import Routes
from shared.clouds.capabilities import Cloud, capabilities_of
from shared.clouds.errors import CloudError, InvalidRequest, Unsupported
from shared.clouds.models import Region as CloudRegion
from shared.clouds.registry import catalog_of, metrics_period_of
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput, TimedOut
from shared.kit.ids import new_id
from shared.messages.base import Mutation, Page
from shared.messages.context import Context
from shared.messages.providers import (
    CreateProvider,
    GetProvider,
    ListProviderInventory,
    ListProviders,
    ListRegions,
    Provider,
    ProviderAdded,
    ProviderEvent,
    ProviderRemoved,
    ProviderUpdated,
    Region,
    RemoveProvider,
    UpdateProvider,
)
from shared.messages.syncs import ReleaseResources

routes = Routes()

CREDENTIALS = "/credentials_config"
INACTIVE = "it is not active: nobody asks it"


@dataclass(frozen=True, slots=True)
class _Discovered:
    """What an account said about itself."""

    account_id: str
    capabilities: dict[str, bool]
    regions: Sequence[CloudRegion]

    @property
    def region_codes(self) -> list[str]:
        return [region.region_code for region in self.regions]


@routes.request(CreateProvider)
async def create_provider(request: CreateProvider, deps: Deps) -> Provider:
    """Store nothing when it raises InvalidInput (schema, `invalid_credentials`), Unavailable, TimedOut or Conflict."""
    await deps.database.check(request)
    period_s = _metrics_period(request.provider_name, request.metrics_period_s)
    configuration = _issued(request.provider_name, request.credentials_config, request)
    found = await _discover(deps, request.provider_name, configuration, request.regions)
    check_regions(request.regions, found.region_codes)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        provider_id = new_id()
        sealed = seal_credentials(deps.key_ring, work.organization, provider_id, configuration)
        await providers.add(work, _row(request, work, found) | {
            "id": provider_id, "credentials_config": sealed, "key_id": deps.key_ring.primary,
            "metrics_period_s": period_s,
        })  # fmt: skip
        await providers.put_regions(work, provider_id, found.regions)
        publish(work, work.organization, provider_id, sealed)
        provider = await providers.get(work, provider_id)
        _say(work, ProviderAdded, provider, "provider.create", {"account_id": found.account_id})
        acceptance.answer(provider)
    return provider


@routes.request(GetProvider)
async def get_provider(request: GetProvider, deps: Deps) -> Provider:
    async with deps.database.work(Context.of(request)) as work:
        return await providers.get(work, request.provider_id)


@routes.request(ListProviders)
async def list_providers(request: ListProviders, deps: Deps) -> Page[Provider]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await providers.page(work, request)
    return Page[Provider](items=items, next_cursor=cursor)


@routes.request(ListProviderInventory)
async def list_provider_inventory(request: ListProviderInventory, deps: Deps) -> Page[Provider]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await providers.inventory(work, request)
    return Page[Provider](items=items, next_cursor=cursor)


@routes.request(ListRegions)
async def list_regions(request: ListRegions, deps: Deps) -> Page[Region]:
    async with deps.database.work(Context.of(request)) as work:
        await providers.get(work, request.provider_id)
        return Page[Region](items=await providers.regions_of(work, request.provider_id))


@routes.request(UpdateProvider)
async def update_provider(request: UpdateProvider, deps: Deps) -> Provider:
    """New credentials are tried first and must belong to the same account: resources of the old one would be lost."""
    await deps.database.check(request)
    async with deps.database.work(Context.of(request)) as work:
        before = await providers.get(work, request.provider_id)
    _metrics_period(before.provider_name, request.metrics_period_s)
    found = await _discover_again(deps, request, before)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        known = await providers.lock(work, request.provider_id)
        request.check_version("provider", known.version)
        if found is not None:
            await providers.put_regions(work, known.id, found.regions)
        await _put_credentials(work, deps, known.provider_name, request, found)
        await _check_dropped_regions(work, request)
        fields = _given(request)
        health = _health_after(work, request, known, found)
        await providers.change(work, known.id, **fields, **health, version=known.version + 1, updated_at=work.now)
        provider = await providers.get(work, known.id)
        if request.regions is not None:
            work.emit(ReleaseResources(**work.about(provider.id, provider.version)))
        changed = [*fields, *(() if request.credentials_config is None else ("credentials_config",))]
        _say(work, ProviderUpdated, provider, "provider.update", {"changed": changed})
        acceptance.answer(provider)
    return provider


@routes.request(RemoveProvider)
async def remove_provider(request: RemoveProvider, deps: Deps) -> Provider:
    """The row stays as a tombstone without credentials, and its name and account are free again."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        known = await providers.lock(work, request.provider_id)
        request.check_version("provider", known.version)
        active = await resources.count_active(work, known.id)
        if active:
            raise Conflict(f"{active} resources of this provider are not terminated", code="active_resources")
        provider = known.model_copy(update={"is_active": False, "version": known.version + 1, "updated_at": work.now})
        await providers.change(
            work, known.id, is_active=False, version=provider.version, updated_at=work.now, removed_at=work.now,
            credentials_config=None, key_id=None,
        )  # fmt: skip
        withdraw(work, work.organization, known.id)
        work.emit(ReleaseResources(**work.about(known.id, provider.version)))
        _say(work, ProviderRemoved, provider, "provider.remove", {})
        acceptance.answer(provider)
    await deps.clouds.forget(str(known.id))
    return provider


def _issued(provider_name: str, configuration: dict[str, Any], request: Mutation) -> dict[str, Any]:
    """The credentials with our mark of whose they are, where they need one (shared/clouds/workload.py)."""
    try:
        return catalog_of(provider_name).issued(configuration, UUID(str(request.organization)))
    except Unsupported as error:
        raise invalid(error, "") from None
    except InvalidRequest as error:
        raise invalid(error, CREDENTIALS) from None


async def _discover(deps: Deps, provider_name: str, configuration: dict[str, Any], codes: Sequence[str]) -> _Discovered:
    """Ask the account who it is, and about these regions (all when none are named: that takes a call for each).

    The rest is discovered with the first health check. Raises what the client is to be told.
    """
    try:
        catalog_of(provider_name).credentials(configuration)
    except Unsupported as error:
        raise invalid(error, "") from None
    except InvalidRequest as error:
        raise invalid(error, CREDENTIALS) from None
    async with _answering(deps), deps.trial(provider_name, configuration) as cloud:
        return await _look(cloud, codes)


async def _discover_again(deps: Deps, request: UpdateProvider, before: Provider) -> _Discovered | None:
    """What the account says about new credentials or other regions; None when the update needs neither."""
    if request.credentials_config is not None:
        codes = request.regions or before.regions
        configuration = _issued(before.provider_name, request.credentials_config, request)
        found = await _discover(deps, before.provider_name, configuration, codes)
        if found.account_id != before.account_id:
            raise Conflict("the credentials belong to another account; add it as a provider", code="other_account")
    elif request.regions:
        async with _answering(deps):
            _, cloud = await deps.account(before.organization_id, before.id)
            found = await _look(cloud, request.regions)
    else:
        return None
    check_regions(request.regions or (), found.region_codes)
    return found


async def _look(cloud: Cloud, codes: Sequence[str]) -> _Discovered:
    account = await cloud.authenticate()
    return _Discovered(account.account_id, capabilities_of(cloud), await cloud.regions(codes or None))


@asynccontextmanager
async def _answering(deps: Deps) -> AsyncIterator[None]:
    """Within the time of a request; the cloud's errors become the client's."""
    try:
        async with asyncio.timeout(deps.settings.cloud_answer_s):
            yield
    except CloudError as error:
        raise refusal(error, CREDENTIALS) from None
    except TimeoutError:
        raise TimedOut("the provider did not answer in time", code="provider_unreachable", retry_after_s=5) from None


def _row(request: CreateProvider, work: Work, found: _Discovered) -> dict[str, Any]:
    return {
        "organization_id": work.organization,
        "provider_name": request.provider_name,
        "provider_type": request.provider_type,
        "display_name": request.display_name,
        "description": request.description,
        "regions": request.regions or found.region_codes,
        "account_id": found.account_id,
        "capabilities": found.capabilities,
        "cost_budget": None if request.cost_budget is None else Decimal(str(request.cost_budget)),
        "is_active": True,
        **_health(work, Health(HEALTHY)),
        "last_health_check": work.now,
        "created_by": request.actor,
        "created_at": work.now,
        "updated_at": work.now,
        "version": 1,
    }


def _health_after(work: Work, request: UpdateProvider, known: Provider, found: _Discovered | None) -> dict[str, Any]:
    """Accepted credentials are healthy. Of an account that is not asked any more, or not yet again, nobody knows."""
    is_active = known.is_active if request.is_active is None else request.is_active
    if not is_active:
        return _health(work, not_asked(INACTIVE), known)
    if found is not None and request.credentials_config is not None:
        return _health(work, Health(HEALTHY), known)
    return {} if known.is_active else _health(work, not_asked("it has not been asked yet"), known)


def _health(work: Work, health: Health, before: Provider | None = None) -> dict[str, Any]:
    is_same = before is not None and before.health_status == health.status
    since = {} if is_same else {"health_since": work.now}
    return {"health_status": health.status, "health_reason": health.reason, "health_streak": health.streak, **since}


def _metrics_period(provider_name: str, wanted_s: int | None) -> int:
    """Raises InvalidInput for a width of points that the provider does not answer."""
    try:
        return metrics_period_of(provider_name, wanted_s)
    except InvalidRequest as error:
        raise invalid(error, "") from None


async def _put_credentials(
    work: Work, deps: Deps, provider_name: str, request: UpdateProvider, found: _Discovered | None
) -> None:
    if found is None or request.credentials_config is None:
        return
    configuration = _issued(provider_name, request.credentials_config, request)
    sealed = seal_credentials(deps.key_ring, work.organization, request.provider_id, configuration)
    await providers.change(
        work, request.provider_id, credentials_config=sealed, key_id=deps.key_ring.primary,
        last_health_check=work.now, capabilities=found.capabilities,
    )  # fmt: skip
    publish(work, work.organization, request.provider_id, sealed)


async def _check_dropped_regions(work: Work, request: UpdateProvider) -> None:
    if request.regions is None:
        return
    if not request.regions:
        raise InvalidInput("a provider has at least one region", errors=[FieldError("/regions", "is empty")])
    if await resources.count_active(work, request.provider_id, regions_left=request.regions):
        raise Conflict("resources run in a region that would be dropped", code="active_resources")


def _given(request: UpdateProvider) -> dict[str, Any]:
    names = ("provider_type", "display_name", "description", "regions", "metrics_period_s", "is_active")
    fields = {name: getattr(request, name) for name in names if getattr(request, name) is not None}
    if request.cost_budget is not None:
        fields["cost_budget"] = Decimal(str(request.cost_budget))
    return fields


def _say(work: Work, event: type[ProviderEvent], provider: Provider, action: str, details: dict[str, Any]) -> None:
    work.emit(event(**work.about(provider.id, provider.version), provider=provider))
    work.audit(action, provider.id, provider.version, provider.display_name, details)

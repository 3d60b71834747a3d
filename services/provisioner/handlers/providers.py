"""How do accounts come, change and go, and do they still work? Nothing is stored that was not tried at the cloud."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

from services.provisioner.deps import Deps
from services.provisioner.domain.providers import (
    HEALTHY,
    INVALID_CREDENTIALS,
    check_regions,
    health_of,
    invalid,
    refusal,
)
from services.provisioner.storage import providers, resources
from services.provisioner.storage.credentials import publish, withdraw
from shared.bus.credentials import seal_credentials
from shared.bus.router import Routes
from shared.clouds.budget.limiter import in_background
from shared.clouds.capabilities import Cloud, capabilities_of
from shared.clouds.errors import AuthFailed, CloudError, InvalidRequest, Unreachable, Unsupported
from shared.clouds.models import Account
from shared.clouds.models import Region as CloudRegion
from shared.clouds.registry import catalog_of, metrics_period_of
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput, NotFound, TimedOut
from shared.kit.ids import new_id
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.providers import (
    CheckProvider,
    ConnectionTest,
    CreateProvider,
    GetProvider,
    ListProviderInventory,
    ListProviders,
    ListRegions,
    Provider,
    ProviderAdded,
    ProviderEvent,
    ProviderHealthChanged,
    ProviderRemoved,
    ProviderUpdated,
    Region,
    RemoveProvider,
    TestConnection,
    UpdateProvider,
)
from shared.messages.syncs import ReleaseResources

routes = Routes()

CREDENTIALS = "/credentials_config"
REGIONS_EVERY = timedelta(days=1)
RECENT = timedelta(seconds=15)
"""A check that comes again, or late after an outage, is not repeated within this time."""

log = structlog.get_logger(__name__)


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
    found = await _discover(deps, request.provider_name, request.credentials_config, request.regions)
    check_regions(request.regions, found.region_codes)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        provider_id = new_id()
        sealed = seal_credentials(deps.key_ring, work.organization, provider_id, request.credentials_config)
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
        await _put_credentials(work, deps, request, found)
        await _check_dropped_regions(work, request)
        fields = _given(request)
        await providers.change(work, known.id, **fields, version=known.version + 1, updated_at=work.now)
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


@routes.request(TestConnection)
async def test_connection(request: TestConnection, deps: Deps) -> ConnectionTest:
    """Ask the cloud who we are. Refused credentials are an answer (`ok` false); no answer is a problem (503, 504)."""
    context = Context.of(request)
    provider, latency_ms, answer = await _ask_account(deps, context, request.provider_id)
    await _keep_health(deps, context, provider, answer if isinstance(answer, CloudError) else None)
    if isinstance(answer, CloudError) and not isinstance(answer, AuthFailed):
        raise refusal(answer, "")
    return ConnectionTest(
        ok=isinstance(answer, Account),
        latency_ms=latency_ms,
        account=answer.account_id if isinstance(answer, Account) else None,
        reason=None if isinstance(answer, Account) else INVALID_CREDENTIALS,
        checked_at=deps.clock.now(),
    )


@routes.command(CheckProvider)
async def check_provider(command: CheckProvider, deps: Deps) -> None:
    """The minute's check of one account."""
    context = Context.of(command)
    try:
        async with deps.database.work(context) as work:
            known = await providers.get(work, command.aggregate_id)
            if known.last_health_check is not None and known.last_health_check > work.now - RECENT:
                return
            read_at = await providers.regions_read_at(work, command.aggregate_id)
        with in_background():
            provider, _, answer = await _ask_account(deps, context, command.aggregate_id)
    except NotFound:
        return
    await _keep_health(deps, context, provider, answer if isinstance(answer, CloudError) else None)
    if isinstance(answer, Account) and (read_at is None or read_at < deps.clock.now() - REGIONS_EVERY):
        with in_background():
            await _discover_regions(deps, context, provider)


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
        found = await _discover(deps, before.provider_name, request.credentials_config, codes)
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
        "health_status": HEALTHY,
        "last_health_check": work.now,
        "created_by": request.actor,
        "created_at": work.now,
        "updated_at": work.now,
        "version": 1,
    }


def _metrics_period(provider_name: str, wanted_s: int | None) -> int:
    """Raises InvalidInput for a width of points that the provider does not answer."""
    try:
        return metrics_period_of(provider_name, wanted_s)
    except InvalidRequest as error:
        raise invalid(error, "") from None


async def _put_credentials(work: Work, deps: Deps, request: UpdateProvider, found: _Discovered | None) -> None:
    if found is None or request.credentials_config is None:
        return
    sealed = seal_credentials(deps.key_ring, work.organization, request.provider_id, request.credentials_config)
    await providers.change(
        work, request.provider_id, credentials_config=sealed, key_id=deps.key_ring.primary, health_status=HEALTHY,
        health_reason=None, last_health_check=work.now, capabilities=found.capabilities,
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


async def _discover_regions(deps: Deps, context: Context, provider: Provider) -> None:
    """All regions of the account, once a day: in an account opened for it, because each region costs an SDK client."""
    async with deps.second_account(provider) as cloud:
        try:
            regions = await cloud.regions()
        except CloudError as error:
            log.info("regions not discovered", provider=str(provider.id), code=error.code)
            return
    async with deps.database.work(context) as work:
        await providers.lock(work, provider.id)
        await providers.drop_other_regions(
            work, provider.id, [*provider.regions, *(region.region_code for region in regions)]
        )
        await providers.put_regions(work, provider.id, regions)
        await providers.change(work, provider.id, regions_read_at=work.now)


async def _ask_account(deps: Deps, context: Context, provider_id: UUID) -> tuple[Provider, float, Account | CloudError]:
    """The provider, how long the cloud took in milliseconds, and what it said."""
    organization = context.organization
    if organization is None:
        raise NotFound(f"there is no provider {provider_id}", code="provider_not_found")
    provider, cloud = await deps.account(organization, provider_id)
    began_s = time.perf_counter()
    answer: Account | CloudError
    try:
        async with asyncio.timeout(deps.settings.cloud_answer_s):
            answer = await cloud.authenticate()
    except CloudError as error:
        answer = error
    except TimeoutError:
        answer = Unreachable("timeout", f"no answer within {deps.settings.cloud_answer_s:g} s",
                             provider=provider.provider_name, operation="authenticate")  # fmt: skip
    return provider, round((time.perf_counter() - began_s) * 1000, 1), answer


async def _keep_health(deps: Deps, context: Context, provider: Provider, error: CloudError | None) -> None:
    """Store what was found; only a change of the status counts as a change of the provider."""
    async with deps.database.work(context) as work:
        try:
            known = await providers.lock(work, provider.id)
        except NotFound:
            return
        health = health_of(error, known.health_status)
        values = {"health_status": health.status, "health_reason": health.reason, "last_health_check": work.now}
        if health.status == known.health_status:
            await providers.change(work, provider.id, **values)
            return
        await providers.change(work, provider.id, **values, version=known.version + 1, updated_at=work.now)
        changed = await providers.get(work, provider.id)
        work.emit(ProviderHealthChanged(**work.about(changed.id, changed.version), provider=changed))
        details = {"from": known.health_status, "to": health.status}
        work.audit("provider.health_changed", changed.id, changed.version, changed.display_name, details)
        log.info("provider health changed", provider=str(changed.id), status=health.status, reason=health.reason)

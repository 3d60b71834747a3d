"""Do the accounts still work? Asked each minute, and by whoever wants to know now; only a change is told."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import structlog

from services.provisioner.deps import Deps
from services.provisioner.domain.places import SILENT
from services.provisioner.domain.providers import (
    INVALID_CREDENTIALS,
    Health,
    health_of,
    is_silent,
    not_asked,
    refusal,
)
from services.provisioner.storage import providers
from shared.bus.router import Routes
from shared.clouds.budget.limiter import in_background
from shared.clouds.errors import AuthFailed, CloudError, Unreachable
from shared.clouds.models import Account
from shared.db.work import Work
from shared.kit.errors import NotFound, RetryLater
from shared.messages.context import Context
from shared.messages.providers import CheckProvider, ConnectionTest, Provider, ProviderHealthChanged, TestConnection
from shared.security.envelope import CannotDecrypt

routes = Routes()

UNREADABLE = "its credentials cannot be opened here: their key is not in the key ring"
REGIONS_EVERY = timedelta(days=1)
REGIONS_S = 60.0
"""How long an account may take to tell all its regions, once a day."""
RECENT = timedelta(seconds=15)
"""A check that comes again, or late after an outage, is not repeated within this time."""
PLACE_AGAIN_S = 2.0

log = structlog.get_logger(__name__)


@routes.request(TestConnection)
async def test_connection(request: TestConnection, deps: Deps) -> ConnectionTest:
    """Ask the cloud who we are. Refused credentials are an answer (`ok` false); no answer is a problem (503, 504)."""
    context = Context.of(request)
    provider, latency_ms, answer = await _ask_account(deps, context, request.provider_id, deps.settings.cloud_answer_s)
    await _keep_answer(deps, context, provider.id, answer)
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
    """The minute's check of one account, in a place of its lane (domain/places.py).

    Who answered the last time has half of the patience: a cloud that begins to hang holds its places for less, and one
    answer too late turns nobody's health. Raises RetryLater without a place; a command older than the interval is left
    to the one that has come since.
    """
    context = Context.of(command)
    try:
        async with deps.database.work(context) as work:
            known = await providers.get(work, command.aggregate_id)
            health = await providers.health(work, command.aggregate_id)
            now = work.now
    except NotFound:
        return
    is_recent = known.last_health_check is not None and known.last_health_check > now - RECENT
    if is_recent or not known.is_active:
        return
    patience_s = deps.settings.cloud_answer_s / (1 if is_silent(health) else 2)
    with deps.places.hold(SILENT if is_silent(health) else known.provider_name, known.id) as has_place:
        if has_place:
            with in_background():
                await _check(deps, context, known.id, patience_s)
        elif command.time > now - timedelta(seconds=deps.settings.provider_check_every_s):
            raise RetryLater(PLACE_AGAIN_S, "others are being asked")


async def _check(deps: Deps, context: Context, provider_id: UUID, patience_s: float) -> None:
    try:
        async with deps.database.work(context) as work:
            read_at = await providers.regions_read_at(work, provider_id)
        provider, _, answer = await _ask_account(deps, context, provider_id, patience_s)
        await _keep_answer(deps, context, provider_id, answer)
        if isinstance(answer, Account) and (read_at is None or read_at < deps.clock.now() - REGIONS_EVERY):
            await _discover_regions(deps, context, provider)
    except NotFound:
        return
    except CannotDecrypt:
        async with deps.database.work(context) as work:
            known = await providers.lock(work, provider_id)
            await _keep(work, known, not_asked(UNREADABLE))


async def _discover_regions(deps: Deps, context: Context, provider: Provider) -> None:
    """All regions of the account, once a day: in an account opened for it, because each region costs an SDK client."""
    async with deps.second_account(provider) as cloud:
        try:
            async with asyncio.timeout(REGIONS_S):
                regions = await cloud.regions()
        except (CloudError, TimeoutError) as error:
            log.info("regions not discovered", provider=str(provider.id), error=type(error).__name__)
            return
    async with deps.database.work(context) as work:
        await providers.lock(work, provider.id)
        await providers.drop_other_regions(
            work, provider.id, [*provider.regions, *(region.region_code for region in regions)]
        )
        await providers.put_regions(work, provider.id, regions)
        await providers.change(work, provider.id, regions_read_at=work.now)


async def _ask_account(
    deps: Deps, context: Context, provider_id: UUID, patience_s: float
) -> tuple[Provider, float, Account | CloudError]:
    """The provider, how long the cloud took in milliseconds, and what it said."""
    organization = context.organization
    if organization is None:
        raise NotFound(f"there is no provider {provider_id}", code="provider_not_found")
    provider, cloud = await deps.account(organization, provider_id)
    began_s = time.perf_counter()
    answer: Account | CloudError
    try:
        async with asyncio.timeout(patience_s):
            answer = await cloud.authenticate()
    except CloudError as error:
        answer = error
    except TimeoutError:
        answer = Unreachable("timeout", f"no answer within {patience_s:g} s",
                             provider=provider.provider_name, operation="authenticate")  # fmt: skip
    return provider, round((time.perf_counter() - began_s) * 1000, 1), answer


async def _keep_answer(deps: Deps, context: Context, provider_id: UUID, answer: Account | CloudError) -> None:
    """Store what the answer says of the account, if that is still there."""
    error = answer if isinstance(answer, CloudError) else None
    async with deps.database.work(context) as work:
        try:
            known = await providers.lock(work, provider_id)
        except NotFound:
            return
        await _keep(work, known, health_of(error, await providers.health(work, provider_id)))


async def _keep(work: Work, known: Provider, health: Health) -> None:
    """Only a change of the status counts as a change of the provider."""
    values = {
        "health_status": health.status,
        "health_reason": health.reason,
        "health_streak": health.streak,
        "last_health_check": work.now,
    }
    if health.status == known.health_status:
        await providers.change(work, known.id, **values)
        return
    version = known.version + 1
    await providers.change(work, known.id, **values, health_since=work.now, version=version, updated_at=work.now)
    changed = await providers.get(work, known.id)
    work.emit(ProviderHealthChanged(**work.about(changed.id, changed.version), provider=changed))
    details = {"from": known.health_status, "to": health.status}
    work.audit("provider.health_changed", changed.id, changed.version, changed.display_name, details)
    log.info("provider health changed", provider=str(changed.id), status=health.status, reason=health.reason)

"""Do an account's credentials work? Connection tests, the health of each account, and the rotation of keys."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import structlog

from services.provisioner.deps import Deps
from services.provisioner.domain.providers import INVALID_CREDENTIALS, health_of, refusal
from services.provisioner.storage import providers
from services.provisioner.storage.rotation import rotate_batch
from shared.bus.router import Routes
from shared.clouds.errors import AuthFailed, CloudError, Unreachable
from shared.clouds.models import Account
from shared.kit.errors import NotFound, PermissionDenied
from shared.messages.audit import AuditRecorded
from shared.messages.base import SYSTEM
from shared.messages.context import Context
from shared.messages.providers import (
    CheckProvider,
    ConnectionTest,
    Provider,
    ProviderHealthChanged,
    RotateCredentials,
    Rotation,
    TestConnection,
)

routes = Routes()

ROTATION_BATCH = 50
SYNC_EVERY = timedelta(days=1)
RECENT = timedelta(seconds=15)
"""A check that comes again, or late after an outage, is not repeated within this time."""

log = structlog.get_logger(__name__)


@routes.request(TestConnection)
async def test_connection(request: TestConnection, deps: Deps) -> ConnectionTest:
    """Ask the cloud who we are. Refused credentials are an answer (`ok` false); no answer is a problem (503, 504)."""
    context = Context.of(request)
    provider, latency_ms, answer = await _ask(deps, context, request.provider_id)
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
            known = await providers.find(work, command.aggregate_id)
            if known.last_health_check is not None and known.last_health_check > work.now - RECENT:
                return
        provider, _, answer = await _ask(deps, context, command.aggregate_id)
    except NotFound:
        return
    await _keep_health(deps, context, provider, answer if isinstance(answer, CloudError) else None)
    synced = provider.last_sync_at
    if isinstance(answer, Account) and (synced is None or synced < deps.clock.now() - SYNC_EVERY):
        await _discover_regions(deps, context, provider)


async def _discover_regions(deps: Deps, context: Context, provider: Provider) -> None:
    """All regions of the account, once a day: in an account opened for it, because each region costs an SDK client."""
    async with deps.second_account(provider) as cloud:
        try:
            regions = await cloud.regions()
        except CloudError as error:
            log.info("regions not discovered", provider=str(provider.id), code=error.code)
            return
    async with deps.database.work(context) as work:
        await providers.lock(work, provider.id, for_change=True)
        await providers.drop_other_regions(
            work, provider.id, [*provider.regions, *(region.region_code for region in regions)]
        )
        await providers.put_regions(work, provider.id, regions)
        await providers.change(work, provider.id, last_sync_at=work.now)


@routes.request(RotateCredentials)
async def rotate_credentials(request: RotateCredentials, deps: Deps) -> Rotation:
    """Seal again as many as fit into the request's time."""
    if request.organization != SYSTEM:
        raise PermissionDenied("keys belong to the deployment, not to an organization")
    until_s = time.monotonic() + deps.settings.cloud_answer_s
    rotated = 0
    while time.monotonic() < until_s:
        batch = await rotate_batch(deps.database, deps.key_ring, ROTATION_BATCH)
        rotated += batch
        if batch == 0:
            break
    async with deps.database.work(Context.background()) as work:
        remaining = await providers.count_sealed_otherwise(work, deps.key_ring.primary)
    return Rotation(rotated=rotated, remaining=remaining)


async def _ask(deps: Deps, context: Context, provider_id: UUID) -> tuple[Provider, float, Account | CloudError]:
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
            known = await providers.lock(work, provider.id, for_change=True)
        except NotFound:
            return
        health = health_of(error, known.health_status)
        values = {"health_status": health.status, "health_reason": health.reason, "last_health_check": work.now}
        if health.status == known.health_status:
            await providers.change(work, provider.id, **values)
            return
        await providers.change(work, provider.id, **values, version=known.version + 1, updated_at=work.now)
        changed = await providers.find(work, provider.id)
        work.emit(
            ProviderHealthChanged(**work.about(changed.id, changed.version), provider=changed),
            AuditRecorded(
                **work.about(changed.id, changed.version), action="provider.health_changed", target_type="provider",
                target_name=changed.display_name, details={"from": known.health_status, "to": health.status},
            ),
        )  # fmt: skip
        log.info("provider health changed", provider=str(changed.id), status=health.status, reason=health.reason)

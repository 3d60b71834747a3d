"""How is an account's inventory kept true? A sync reads its scopes, some at a time, on the journal.

A sync is one saga of one account, and a second one ends at once. After a kill another replica goes on with the scopes
that were not read to their end; each of those starts over.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.scopes import FRESH, UNKNOWN, Scope, age_s, is_due, scopes_of, state_of
from services.provisioner.handlers.scans import Kinds, kinds_of, read_scope
from services.provisioner.handlers.sightings import release
from services.provisioner.storage import providers, scopes
from services.provisioner.storage.scopes import SYNC, ReadOvertaken, reading_of, scope_of
from shared.bus.router import Routes
from shared.clouds.budget.limiter import in_background
from shared.clouds.registry import catalog_of
from shared.db.saga import Saga
from shared.kit.errors import Conflict, NotFound
from shared.messages.context import Context
from shared.messages.providers import Provider
from shared.messages.syncs import (
    AcceptedSync,
    GetProviderSync,
    ProviderSync,
    ReleaseResources,
    ScanProvider,
    ScopeError,
    ScopeState,
    SyncProvider,
)

routes = Routes()


@routes.request(SyncProvider)
async def sync_provider(request: SyncProvider, deps: Deps) -> AcceptedSync:
    """Raises NotFound, Conflict for an inactive provider and while another sync is at work."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        provider = await providers.lock(work, request.provider_id)
        request.check_version("provider", provider.version)
        if not provider.is_active:
            raise Conflict("the provider is not active", code="provider_inactive")
        other = await scopes.other_sync(work, provider.id)
        if other is not None:
            raise Conflict(f"operation {other} reads this account already", code="sync_in_progress")
        command = ScanProvider(**work.about(provider.id, provider.version))
        operation = await deps.journal.accept(work, scan_provider, command)
        work.audit("provider.sync", provider.id, provider.version, provider.display_name)
        accepted = AcceptedSync(operation=operation)
        acceptance.answer(accepted)
    return accepted


@routes.request(GetProviderSync)
async def get_provider_sync(request: GetProviderSync, deps: Deps) -> ProviderSync:
    """How fresh each scope is, and why it is not."""
    every = timedelta(seconds=deps.settings.sync_every_s)
    async with deps.database.work(Context.of(request)) as work:
        provider = await providers.get(work, request.provider_id)
        rows = await scopes.of_provider(work, provider.id)
        operation = await scopes.other_sync(work, provider.id)
        states = [_state(row, work.now, every) for row in rows]
    ages = [state.age_s for state in states]
    known = [age for age in ages if age is not None]
    return ProviderSync(
        provider_id=provider.id,
        state=FRESH if states and all(state.state == FRESH for state in states) else UNKNOWN,
        oldest_age_s=max(known) if known and len(known) == len(ages) else None,
        sync_every_s=deps.settings.sync_every_s,
        operation=operation,
        scopes=states,
    )


def _state(row: dict[str, Any], now: Any, every: timedelta) -> ScopeState:
    reading, error = reading_of(row), row["error"]
    return ScopeState(
        region=row["region"],
        resource_type=row["resource_type"],
        resource_subtype=row["resource_subtype"],
        state=FRESH if state_of(reading, now, every) == FRESH else UNKNOWN,
        last_complete_at=reading.complete_at,
        age_s=age_s(reading, now),
        things=row["things"],
        generation=row["generation"],
        is_reading=row["began_at"] is not None and row["ended_at"] is None,
        error=None if error is None else ScopeError(**error, failures=reading.failures),
    )


@routes.command(ReleaseResources)
async def release_resources(command: ReleaseResources, deps: Deps) -> None:
    """A lot at a time, until none is left; what we made ourselves stays, and is the client's to remove."""
    await _release_all(deps, Context.of(command), command.aggregate_id)


async def _release_all(deps: Deps, context: Context, provider_id: UUID) -> None:
    while True:
        async with deps.database.work(context) as work:
            regions = await providers.regions_in_sight(work, provider_id)
            if not await release(work, provider_id, regions):
                return


@routes.saga(ScanProvider, kind=SYNC, target_type="provider", total=2)
async def scan_provider(saga: Saga, command: ScanProvider, deps: Deps) -> dict[str, Any]:
    """Plan scopes → read scopes. A scope that cannot be read is unknown; the sync of the others succeeds."""

    async def plan(_: UUID) -> list[list[str]]:
        return await _plan(saga, command, deps)

    async def read(_: UUID) -> dict[str, Any]:
        return await _read(saga, command, deps, [Scope(*each) for each in planned])

    planned = await saga.step("plan scopes", plan)
    result: dict[str, Any] = await saga.step("read scopes", read)
    return result


async def _plan(saga: Saga, command: ScanProvider, deps: Deps) -> list[list[str]]:
    """The scopes to read: of the regions that the provider has now; none while an earlier sync is at work."""
    provider, kinds = await _open(deps, saga.context, command.aggregate_id)
    every = timedelta(seconds=deps.settings.sync_every_s)
    await _release_all(deps, saga.context, provider.id)
    async with saga.work() as work:
        if await scopes.other_sync(work, provider.id, saga.id) is not None:
            return []
        await scopes.put(
            work, provider.id, scopes_of(provider.regions, {key: kind.is_global for key, kind in kinds.items()})
        )
        rows = await scopes.of_provider(work, provider.id)
        due = [row for row in rows if not command.only_due or is_due(reading_of(row), work.now, every)]
    return [[row["region"], row["resource_type"], row["resource_subtype"]] for row in due]


async def _read(saga: Saga, command: ScanProvider, deps: Deps, planned: list[Scope]) -> dict[str, Any]:
    """Read what this sync has not read yet, some at a time; the answer says what all its scopes came to."""
    provider, kinds = await _open(deps, saga.context, command.aggregate_id)
    places = asyncio.Semaphore(deps.settings.sync_scopes_at_once)

    async def read_one(scope: Scope) -> None:
        kind = kinds.get((scope.resource_type, scope.resource_subtype))
        if kind is None:
            return
        async with places:
            try:
                await read_scope(deps, saga.context, provider, scope, kind.pages, saga.id)
            except ReadOvertaken:
                return

    async with saga.work() as work:
        done = {scope_of(row) for row in await scopes.of_provider(work, provider.id) if _is_done(row, saga.id)}
    with in_background():
        await _all([read_one(scope) for scope in planned if scope not in done])
    async with saga.work() as work:
        rows = await scopes.of_provider(work, provider.id)
        complete_at = [row["complete_at"] for row in rows]
        if complete_at and None not in complete_at:
            await providers.change(work, provider.id, last_sync_at=min(complete_at))
    return _outcome([row for row in rows if scope_of(row) in set(planned)], saga.id)


async def _all(readings: list[Any]) -> None:
    """Wait for all; the first failure ends the others and is raised as it is, for the journal to judge."""
    try:
        async with asyncio.TaskGroup() as group:
            for reading in readings:
                group.create_task(reading)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _is_done(row: dict[str, Any], attempt_id: UUID) -> bool:
    return row["attempt_id"] == attempt_id and row["ended_at"] is not None


def _outcome(rows: list[dict[str, Any]], attempt_id: UUID) -> dict[str, Any]:
    """How many scopes and things were read, and which scopes are unknown, with the reason."""
    complete = [row for row in rows if _is_done(row, attempt_id) and not row["failures"]]
    unknown = [
        {"region": row["region"], "resource_subtype": row["resource_subtype"],
         "code": (row["error"] or {}).get("code", "read_overtaken")}
        for row in rows
        if row not in complete
    ]  # fmt: skip
    return {
        "scopes": len(rows),
        "complete": len(complete),
        "things": sum(row["things"] for row in complete),
        "unknown": unknown,
    }


async def _open(deps: Deps, context: Context, provider_id: UUID) -> tuple[Provider, Kinds]:
    organization = context.organization
    if organization is None:
        raise NotFound(f"there is no provider {provider_id}", code="provider_not_found")
    provider, cloud = await deps.account(organization, provider_id)
    return provider, kinds_of(cloud, catalog_of(provider.provider_name))

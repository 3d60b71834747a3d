"""Every statement on the scopes of accounts. A read holds its scope by its generation: a later one ends it.

So no two reads of a scope write side by side, on whichever replicas they run and whatever became of their leases.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, cast, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.provisioner.domain.scopes import Account, Reading, Scope
from services.provisioner.storage.tables import cloud_providers, inventory_scopes
from shared.clouds.assets import GLOBAL_REGION
from shared.db.tables import saga
from shared.db.work import Work, rows
from shared.kit.errors import CanopyError

_table = inventory_scopes.c
ERROR_CHARACTERS_MAX = 500
ACCOUNTS_AT_ONCE = 1000

SYNC = "provider.sync"
"""The kind of the operations that read accounts."""


class ReadOvertaken(CanopyError):
    """A later read of the same scope began: what this one has read is dropped."""

    status, code, title = 409, "read_overtaken", "A later read of this scope began"


async def put(work: Work, provider_id: UUID, scopes: Sequence[Scope]) -> None:
    """Make these the scopes of an account: new ones are unknown, others are forgotten."""
    mine = _table.provider_id == provider_id, _table.organization_id == work.organization
    kept = [(scope.region, scope.resource_subtype) for scope in scopes]
    await work.execute(
        delete(inventory_scopes).where(*mine, tuple_(_table.region, _table.resource_subtype).not_in(kept))
    )
    if scopes:
        values = [
            {"provider_id": provider_id, "organization_id": work.organization, "region": scope.region,
             "resource_type": scope.resource_type, "resource_subtype": scope.resource_subtype}
            for scope in scopes
        ]  # fmt: skip
        await work.execute(insert(inventory_scopes).values(values).on_conflict_do_nothing())


async def of_provider(work: Work, provider_id: UUID) -> list[dict[str, Any]]:
    """The rows of an account's scopes, by region and kind."""
    statement = (
        select(inventory_scopes)
        .where(_table.provider_id == provider_id, _table.organization_id == work.organization)
        .order_by(_table.region, _table.resource_type, _table.resource_subtype)
    )
    return list(rows(await work.execute(statement)))


async def begin(work: Work, provider_id: UUID, scope: Scope, attempt_id: UUID) -> int:
    """Begin a read; returns its generation. Whoever was reading this scope is overtaken. Raises ReadOvertaken when the
    scope is no longer one of the account.
    """
    statement = (
        update(inventory_scopes)
        .where(*_key(work, provider_id, scope))
        .values(generation=_table.generation + 1, attempt_id=attempt_id, began_at=work.now, ended_at=None)
        .returning(_table.generation)
    )
    generation = (await work.execute(statement)).scalar()
    if generation is None:
        raise ReadOvertaken(f"{scope} is no scope of this provider any more")
    return int(generation)


async def hold(work: Work, provider_id: UUID, scope: Scope, generation: int) -> None:
    """Keep the scope for this transaction. Raises ReadOvertaken when a later read has begun, or this one has ended, or
    nobody looks there any more. The provider comes first, as in every transaction that locks both.
    """
    providers = cloud_providers.c
    looked_at = select(providers.regions).where(
        providers.id == provider_id, providers.organization_id == work.organization, providers.removed_at.is_(None)
    )
    regions = (await work.execute(looked_at.with_for_update(key_share=True, read=True))).scalar()
    if regions is None or scope.region not in {*regions, GLOBAL_REGION}:
        raise ReadOvertaken(f"{scope.region} is not looked at any more")
    statement = select(_table.generation).where(
        *_key(work, provider_id, scope), _table.generation == generation, _table.ended_at.is_(None)
    )
    if (await work.execute(statement.with_for_update())).first() is None:
        raise ReadOvertaken(f"generation {generation} of {scope} was overtaken")


async def complete(work: Work, provider_id: UUID, scope: Scope, things: int) -> None:
    """The read that holds the scope has reached its end: the facts are as old as its beginning."""
    await work.execute(
        update(inventory_scopes)
        .where(*_key(work, provider_id, scope))
        .values(ended_at=work.now, complete_at=_table.began_at, things=things, failures=0, error=None)
    )


async def fail(work: Work, provider_id: UUID, scope: Scope, error: dict[str, Any]) -> None:
    """The read that holds the scope did not reach its end: what is known of the scope stays, and grows old."""
    problem = {**error, "detail": error["detail"][:ERROR_CHARACTERS_MAX], "failed_at": work.now.isoformat()}
    await work.execute(
        update(inventory_scopes)
        .where(*_key(work, provider_id, scope))
        .values(ended_at=work.now, failures=_table.failures + 1, error=problem)
    )


async def other_sync(work: Work, provider_id: UUID, than: UUID | None = None) -> UUID | None:
    """The operation that reads the account now, begun before `than`; None when none does.

    One that waits for a person (its program changed while it ran) does not count.
    """
    statement = select(saga.c.id).where(
        *_at_work(), saga.c.organization_id == work.organization, saga.c.target_id == provider_id
    )
    if than is not None:
        mine = select(saga.c.created_at, saga.c.id).where(saga.c.id == than).subquery()
        earlier = tuple_(saga.c.created_at, saga.c.id) < tuple_(mine.c.created_at, mine.c.id)
        statement = statement.where(earlier)
    found: UUID | None = (await work.execute(statement.limit(1))).scalar()
    return found


async def count_at_work(work: Work) -> int:
    """How many accounts are read now, of all organizations; in background work."""
    return int((await work.execute(select(func.count()).select_from(saga).where(*_at_work()))).scalar_one())


def _at_work() -> tuple[ColumnElement[bool], ...]:
    return saga.c.kind == SYNC, saga.c.finished_at.is_(None), saga.c.error.is_(None)


async def accounts(work: Work, rest: timedelta) -> list[Account]:
    """The active accounts with their scopes, but those read now or queued within `rest`; in background work.

    Of very many those that were queued longest ago: the others are not due yet.
    """
    providers = cloud_providers.c
    statement = select(providers.organization_id, providers.id, providers.regions).where(
        providers.removed_at.is_(None),
        providers.is_active,
        providers.id.not_in(select(saga.c.target_id).where(*_at_work())),
        or_(providers.sync_queued_at.is_(None), providers.sync_queued_at < work.now - rest),
    )
    oldest = statement.order_by(providers.sync_queued_at.asc().nulls_first(), providers.id).limit(ACCOUNTS_AT_ONCE)
    found = rows(await work.execute(oldest))
    readings: dict[UUID, list[Reading]] = {row["id"]: [] for row in found}
    theirs = _table.provider_id == any_(cast(list(readings), ARRAY(Uuid)))
    for row in rows(await work.execute(select(inventory_scopes).where(theirs))):
        readings[row["provider_id"]].append(reading_of(row))
    return [
        Account(row["organization_id"], row["id"], frozenset(row["regions"]), tuple(readings[row["id"]]))
        for row in found
    ]


async def mark_queued(work: Work, provider_id: UUID) -> int | None:
    """Note that the account's sync was queued; returns the provider's version, None when it was removed meanwhile."""
    statement = (
        update(cloud_providers)
        .where(
            cloud_providers.c.id == provider_id,
            cloud_providers.c.organization_id == work.organization,
            cloud_providers.c.removed_at.is_(None),
        )
        .values(sync_queued_at=work.now)
        .returning(cloud_providers.c.version)
    )
    found: int | None = (await work.execute(statement)).scalar()
    return found


def reading_of(row: dict[str, Any]) -> Reading:
    return Reading(scope_of(row), row["complete_at"], row["ended_at"], row["failures"])


def scope_of(row: dict[str, Any]) -> Scope:
    return Scope(row["region"], row["resource_type"], row["resource_subtype"])


def _key(work: Work, provider_id: UUID, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (
        _table.provider_id == provider_id,
        _table.region == scope.region,
        _table.resource_subtype == scope.resource_subtype,
        _table.organization_id == work.organization,
    )

"""Every statement on providers and their regions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from services.provisioner.domain.providers import Health
from services.provisioner.storage.tables import cloud_providers, cloud_regions
from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.models import Region as CloudRegion
from shared.db.pages import Keyset, begins_with
from shared.db.work import Work, rows
from shared.kit.errors import Conflict, NotFound
from shared.messages.providers import ListProviderInventory, ListProviders, Provider, Region

_table = cloud_providers.c
_shown = [cloud_providers.c[name] for name in Provider.model_fields]
ORDER = Keyset(_table.id, {"created_at": _table.created_at, "display_name": _table.display_name}, "created_at")
INVENTORY_ORDER = Keyset(_table.id, {"id": _table.id}, "id")

# Put together once: building such a statement for every call cost as much as running it (profiled).
_GET = select(*_shown).where(
    _table.id == bindparam("provider"),
    _table.organization_id == bindparam("organization"),
    _table.removed_at.is_(None),
)
_LOCK = _GET.with_for_update()
_HOLD = _GET.with_for_update(read=True)


async def add(work: Work, values: Mapping[str, Any]) -> None:
    """Insert a provider. Raises Conflict when the organization has its name or its account already (C7)."""
    try:
        await work.execute(insert(cloud_providers).values(**values))
    except IntegrityError as error:
        raise _taken(error) from None


async def change(work: Work, provider_id: UUID, **values: Any) -> None:
    """Update a provider of this organization. Raises Conflict when another one has the new name."""
    try:
        await work.execute(update(cloud_providers).where(*_key(work, provider_id)).values(**values))
    except IntegrityError as error:
        raise _taken(error) from None


def _taken(error: IntegrityError) -> Exception:
    """What a unique index means; the database's own message would repeat the row. Anything else stays what it is."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if constraint == "uq_cloud_providers_display_name":
        return Conflict("a provider has this display_name already", code="name_taken")
    if constraint == "uq_cloud_providers_account":
        return Conflict("a provider uses this account already", code="account_taken")
    return error


async def get(work: Work, provider_id: UUID) -> Provider:
    """The provider of this organization. Raises NotFound, also for one that was removed."""
    return await _one(work, provider_id, _GET)


async def lock(work: Work, provider_id: UUID) -> Provider:
    """The same, locked until the end of the transaction. Raises NotFound."""
    return await _one(work, provider_id, _LOCK)


async def hold(work: Work, provider_id: UUID) -> Provider:
    """The same, kept from being changed or removed until then; others may hold it too. Raises NotFound."""
    return await _one(work, provider_id, _HOLD)


async def _one(work: Work, provider_id: UUID, statement: Select[Any]) -> Provider:
    key = {"provider": provider_id, "organization": work.organization}
    row = (await work.execute(statement, key)).mappings().first()
    if row is None:
        raise NotFound(f"there is no provider {provider_id}", code="provider_not_found")
    return provider_of(row)


async def page(work: Work, request: ListProviders) -> tuple[list[Provider], str | None]:
    statement = select(*_shown).where(_table.organization_id == work.organization, _table.removed_at.is_(None))
    if request.provider_name is not None:
        statement = statement.where(_table.provider_name == request.provider_name)
    if request.q:
        statement = statement.where(begins_with(_table.display_name, request.q))
    return await _page(work, statement, ORDER, request)


async def inventory(work: Work, request: ListProviderInventory) -> tuple[list[Provider], str | None]:
    """All that are there; in background work those of all organizations."""
    return await _page(work, select(*_shown).where(_table.removed_at.is_(None)), INVENTORY_ORDER, request)


async def _page(
    work: Work, statement: Select[Any], order: Keyset, request: ListProviders | ListProviderInventory
) -> tuple[list[Provider], str | None]:
    found, cursor = order.page(rows(await work.execute(order.select(statement, request))), request)
    return [provider_of(row) for row in found], cursor


async def health(work: Work, provider_id: UUID) -> Health:
    """How it was seen to be. Raises NotFound."""
    columns = (_table.health_status, _table.health_reason, _table.health_streak)
    row = (await work.execute(select(*columns).where(*_key(work, provider_id)))).first()
    if row is None:
        raise NotFound(f"there is no provider {provider_id}", code="provider_not_found")
    return Health(row.health_status, row.health_reason, row.health_streak)


async def regions_read_at(work: Work, provider_id: UUID) -> datetime | None:
    """When all regions of the account were last asked for; None when they never were."""
    found: datetime | None = (
        await work.execute(select(_table.regions_read_at).where(*_key(work, provider_id)))
    ).scalar()
    return found


async def regions_in_sight(work: Work, provider_id: UUID) -> list[str]:
    """The regions that the account is looked at in, and what belongs to none; nothing of one that was removed."""
    statement = select(_table.regions).where(*_key(work, provider_id), _table.removed_at.is_(None))
    regions = (await work.execute(statement)).scalar()
    return [] if regions is None else [*regions, GLOBAL_REGION]


async def active(work: Work) -> list[tuple[UUID, UUID, int]]:
    """(organization, provider, version) of every active provider of all organizations, for background work."""
    statement = select(_table.organization_id, _table.id, _table.version).where(
        _table.removed_at.is_(None), _table.is_active
    )
    return [(row.organization_id, row.id, row.version) for row in await work.execute(statement)]


async def drop_other_regions(work: Work, provider_id: UUID, codes: Sequence[str]) -> None:
    """Forget regions that the account has no more."""
    mine = (cloud_regions.c.provider_id == provider_id, cloud_regions.c.organization_id == work.organization)
    await work.execute(delete(cloud_regions).where(*mine, cloud_regions.c.region_code.not_in(codes)))


_given = upsert(cloud_regions)
_PUT_REGION = _given.on_conflict_do_update(
    index_elements=["provider_id", "region_code"],
    set_={
        "region_name": _given.excluded.region_name,
        "availability_zones": func.coalesce(_given.excluded.availability_zones, cloud_regions.c.availability_zones),
        "geographic_location": _given.excluded.geographic_location,
        "discovered_at": _given.excluded.discovered_at,
    },
)
"""Zones that could not be asked now stay as they were known."""


async def put_regions(work: Work, provider_id: UUID, regions: Sequence[CloudRegion]) -> None:
    """Keep what was discovered of these regions."""
    mine = {"provider_id": provider_id, "organization_id": work.organization, "discovered_at": work.now}
    if regions:
        await work.execute(_PUT_REGION, [mine | _region_values(region) for region in regions])


def _region_values(region: CloudRegion) -> dict[str, Any]:
    place = region.geographic_location
    return {
        "region_code": region.region_code,
        "region_name": region.region_name,
        "availability_zones": None if region.availability_zones is None else list(region.availability_zones),
        "geographic_location": None
        if place is None
        else {"continent": place.continent, "country": place.country, "city": place.city},
    }


async def regions_of(work: Work, provider_id: UUID) -> list[Region]:
    """What was discovered, in code order."""
    statement = (
        select(*(cloud_regions.c[name] for name in Region.model_fields))
        .where(cloud_regions.c.provider_id == provider_id, cloud_regions.c.organization_id == work.organization)
        .order_by(cloud_regions.c.region_code)
    )
    return [Region.model_validate(row) for row in rows(await work.execute(statement))]


def _key(work: Work, provider_id: UUID) -> tuple[Any, ...]:
    return (_table.id == provider_id, _table.organization_id == work.organization)


def provider_of(row: Mapping[Any, Any]) -> Provider:
    return Provider.model_validate(dict(row))

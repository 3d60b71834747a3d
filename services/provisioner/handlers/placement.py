"""Where can a machine be had whose place was left open? Offers are ranked here; placing.py takes one by one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain import placement as domain
from services.provisioner.domain.placement import Place, Ranking, Wanted, attempts, check_fits, offers_of, rank
from services.provisioner.domain.providers import invalid
from services.provisioner.handlers.placing import CAPACITY, COMPUTE, TYPE, ZONE, asked_at, placement_of
from services.provisioner.storage import providers
from shared.bus.router import Routes
from shared.clouds.capabilities import Catalog
from shared.clouds.errors import InvalidRequest
from shared.clouds.models import CapacityType
from shared.clouds.registry import catalog_of, list_prices_of, machine_types_of
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput, NotFound
from shared.messages.context import Context
from shared.messages.placement import (
    OFFERS_SHOWN,
    Constraints,
    FindOffers,
    Offer,
    Offers,
    PlaceResource,
)
from shared.messages.providers import Provider
from shared.messages.resources import ResourceOrder

routes = Routes()

SUBNET = "subnet_id"


@dataclass(frozen=True, slots=True)
class Target:
    """What is provisioned, and where."""

    provider_id: UUID
    region: str
    resource_subtype: str
    configuration: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A machine whose place was chosen: the offers in the order in which they are tried, of all that are `fitting`."""

    offers: Sequence[Offer]
    fitting: int
    configuration: dict[str, Any]

    @property
    def target(self) -> Target:
        first = self.offers[0]
        return Target(first.provider_id, first.region, first.resource_subtype, asked_at(first, self.configuration))

    @property
    def placement(self) -> dict[str, Any]:
        """What the row says of it before anything was tried."""
        return placement_of(self.offers[0], self.fitting, [])

    def command(self, **envelope: Any) -> PlaceResource:
        return PlaceResource(
            **envelope, offers=list(self.offers), fitting=self.fitting, configuration=self.configuration
        )


def named(request: ResourceOrder) -> Target | None:
    """The target when an order names all of it and asks for no choice; else None."""
    place = (request.provider_id, request.region, request.resource_subtype)
    if request.constraints is not None or request.provider_id is None or None in place:
        return None
    return Target(request.provider_id, str(request.region), str(request.resource_subtype), request.configuration)


async def choose(deps: Deps, context: Context, request: ResourceOrder) -> Placed:
    """The offers for a machine whose place was left open. Raises InvalidInput, Conflict."""
    _check_compute(request)
    asked = request.constraints or Constraints()
    places, wanted = await _places(deps, context, request), _wanted(request, asked)
    ranking = await asyncio.to_thread(_ranked, places, wanted, with_spot=_is_spot_allowed(request, asked))
    check_fits(ranking)
    chosen = attempts(ranking.fitting, in_zones=not {ZONE, SUBNET} & set(request.configuration))
    rest = {name: value for name, value in request.configuration.items() if name not in {TYPE, CAPACITY}}
    return Placed([_shown(each) for each in chosen], len(ranking.fitting), rest)


@routes.request(FindOffers)
async def find_offers(request: FindOffers, deps: Deps) -> Offers:
    places = await _places(deps, Context.of(request), request)
    wanted, with_spot = _wanted(request, request.constraints), _is_spot_allowed(request, request.constraints)
    ranking = await asyncio.to_thread(_ranked, places, wanted, with_spot=with_spot)
    check_fits(ranking)
    return Offers(
        offers=[_shown(each) for each in ranking.fitting[:OFFERS_SHOWN]],
        fitting=len(ranking.fitting),
        considered=len(ranking.fitting) + len(ranking.rejected),
        excluded=ranking.excluded,
    )


async def _places(deps: Deps, context: Context, request: ResourceOrder | FindOffers) -> list[Place]:
    """Where the organization's active accounts can have machines."""
    async with deps.database.work(context) as work:
        if request.provider_id is not None:
            await _check_provider(work, request.provider_id)
        found = []
        for provider in await providers.active_here(work):
            known = await providers.regions_of(work, provider.id)
            zones = {each.region_code: tuple(each.availability_zones or ()) for each in known}
            found += _places_of(provider, zones, request.configuration)
    refused = [each for each in found if each.refused is not None]
    if found and len(refused) == len(found):
        raise invalid(_refusal_of(refused[0], request.configuration), "/configuration")
    return found


def _places_of(
    provider: Provider, zones: Mapping[str, tuple[str, ...]], configuration: Mapping[str, Any]
) -> list[Place]:
    """One for each region and kind of machine; whether it can have this configuration at all is said with it."""
    catalog = catalog_of(provider.provider_name)
    return [
        Place(
            provider.id, provider.provider_name, region, offer.resource_subtype,
            zones=zones.get(region, ()) if ZONE in offer.configuration_schema.get("properties", {}) else (),
            refused=_refused(catalog, offer.resource_subtype, configuration, zones.get(region, ())),
            sells_spot=offer.spot is not None,
        )
        for offer in catalog.offers() if offer.resource_type == COMPUTE
        for region in provider.regions
    ]  # fmt: skip


def _refused(catalog: Catalog, subtype: str, configuration: Mapping[str, Any], zones: Sequence[str]) -> str | None:
    """Why a place cannot have a configuration: the provider's schema, or a zone that the region does not have."""
    try:
        checked = catalog.configuration(COMPUTE, subtype, configuration)
    except InvalidRequest as error:
        return error.message
    zone = checked.get(ZONE)
    return "not a zone of this region" if zone is not None and zones and zone not in zones else None


def _refusal_of(place: Place, configuration: Mapping[str, Any]) -> InvalidRequest:
    try:
        catalog_of(place.provider_name).configuration(COMPUTE, place.resource_subtype, configuration)
    except InvalidRequest as error:
        return error
    raise InvalidInput(
        "no region has this zone", errors=[FieldError(f"/configuration/{ZONE}", "is not a zone of these regions")]
    )


async def _check_provider(work: Work, provider_id: UUID) -> None:
    try:
        provider = await providers.get(work, provider_id)
    except NotFound:
        problem = FieldError("/provider_id", "there is no such provider")
        raise InvalidInput("there is no such provider", errors=[problem]) from None
    if not provider.is_active:
        raise Conflict("the provider is not active", code="provider_inactive")


def _check_compute(request: ResourceOrder) -> None:
    """Only machines are placed: anything else names its place."""
    if request.resource_type == COMPUTE:
        return
    needed = [name for name in ("provider_id", "region", "resource_subtype") if getattr(request, name) is None]
    problems = [FieldError(f"/{name}", "is required: only compute resources are placed") for name in needed]
    if request.constraints is not None:
        problems.append(FieldError("/constraints", "only compute resources are placed"))
    raise InvalidInput("only compute resources are placed", errors=problems)


def _wanted(request: ResourceOrder | FindOffers, asked: Constraints) -> Wanted:
    """A type that is named has the architecture that it has; otherwise it is x86_64 unless another is asked for."""
    named_type, named_way = request.configuration.get(TYPE), request.configuration.get(CAPACITY)
    price = asked.max_price_usd_per_hour
    usual = "x86_64" if named_type is None else domain.ANY
    return Wanted(
        provider_id=request.provider_id,
        region=request.region,
        resource_subtype=request.resource_subtype,
        instance_type=None if named_type is None else str(named_type),
        capacity_type=None if named_way is None else str(named_way),
        min_vcpu=asked.min_vcpu,
        min_memory_gib=asked.min_memory_gib,
        architecture=asked.architecture or usual,
        regions=frozenset(asked.regions or ()),
        providers=frozenset(asked.providers or ()),
        max_price_usd_per_hour=None if price is None else Decimal(str(price)),
    )


def _is_spot_allowed(request: ResourceOrder | FindOffers, asked: Constraints) -> bool:
    """By the constraint, or by its name: who writes spot into the configuration wants nothing else."""
    return asked.spot_allowed or request.configuration.get(CAPACITY) == CapacityType.SPOT


def _ranked(places: Sequence[Place], wanted: Wanted, *, with_spot: bool) -> Ranking:
    """In a thread: a region's prices may have to be read from their file."""
    offers = (
        offer
        for place in places
        for offer in offers_of(
            place,
            machine_types_of(place.provider_name).values(),
            {item: price.usd for item, price in list_prices_of(place.provider_name).of_region(place.region).items()},
            with_spot=with_spot,
        )
    )
    return rank(offers, wanted)


def _shown(offer: domain.Offer) -> Offer:
    place, machine = offer.place, offer.machine_type
    return Offer(
        provider_id=place.provider_id,
        provider_name=place.provider_name,
        region=place.region,
        availability_zone=offer.zone,
        resource_subtype=place.resource_subtype,
        instance_type=machine.name,
        vcpu=machine.vcpu,
        memory_gib=machine.memory_gib,
        architecture=machine.architecture,
        usd_per_hour=None if offer.usd_per_hour is None else float(offer.usd_per_hour),
        capacity_type=offer.capacity_type.value,
    )

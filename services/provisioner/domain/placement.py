"""Which offers fit what is asked of a machine, which comes first, and why do the others not fit? Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.clouds.errors import InvalidRequest, NoCapacity, QuotaExceeded
from shared.clouds.models import CapacityType, MachineType, price_item
from shared.kit.errors import FieldError, InvalidInput

OFFERS_TRIED = 20
"""So many offers are tried, each in all its zones; after them the creation fails."""

ANY = "any"
REGION, PROVIDER_ID, SUBTYPE, TYPE = "region", "provider_id", "resource_subtype", "instance_type"
CAPACITY, CONFIGURATION, BARE_METAL = "capacity_type", "configuration", "bare_metal"
PRICE = "max_price_usd_per_hour"
_POINTERS = {REGION: "/region", PROVIDER_ID: "/provider_id", SUBTYPE: "/resource_subtype",
             TYPE: "/configuration/instance_type", CAPACITY: "/configuration/capacity_type",
             CONFIGURATION: "/configuration"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account can have machines. `zones` are those that can be asked for, none when it has but one.

    `sells_spot`: also as spot machines.
    """

    provider_id: UUID
    provider_name: str
    region: str
    resource_subtype: str
    zones: tuple[str, ...] = ()
    refused: str | None = None
    """Why it cannot have the rest of the configuration, None when it can."""
    sells_spot: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A machine type at a place, on demand or spot; `usd_per_hour` is the price as that, None when it is not known.

    `zone` None: the provider's choice.
    """

    place: Place
    machine_type: MachineType
    usd_per_hour: Decimal | None
    zone: str | None = None
    capacity_type: CapacityType = CapacityType.ON_DEMAND


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None and empty exclude nothing. Bare metal fits only by its name."""

    provider_id: UUID | None = None
    region: str | None = None
    resource_subtype: str | None = None
    instance_type: str | None = None
    capacity_type: str | None = None
    min_vcpu: int | None = None
    min_memory_gib: float | None = None
    architecture: str = ANY
    regions: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    max_price_usd_per_hour: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """`fitting` in the order in which they are to be tried; `rejected` each with the constraints that exclude it."""

    fitting: tuple[Offer, ...]
    rejected: tuple[tuple[Offer, tuple[str, ...]], ...]

    @property
    def excluded(self) -> dict[str, int]:
        """By constraint, how many offers it excludes."""
        return dict(Counter(name for _, names in self.rejected for name in names))


def offers_of(
    place: Place, types: Iterable[MachineType], prices: Mapping[str, Decimal], *, with_spot: bool = False
) -> Iterator[Offer]:
    """Every type at a place, at its price where one is known; `with_spot` a second time where it sells that.

    Whether the place has it, the provider alone knows.
    """
    ways = tuple(CapacityType) if with_spot and place.sells_spot else (CapacityType.ON_DEMAND,)
    return (
        Offer(place, each, prices.get(price_item(each.name, way)), capacity_type=way) for each in types for way in ways
    )


def rank(offers: Iterable[Offer], wanted: Wanted) -> Ranking:
    """The offers that fit, the cheapest first; those without a known price last, for nobody knows that they are cheap.

    Of the same price what is not taken back comes before spot, the smaller machine first (what is not asked for is not
    given), then names decide, so that the same offers always give the same order.
    """
    fitting, rejected = [], []
    for offer in offers:
        excluding = tuple(misfits(offer, wanted))
        if excluding:
            rejected.append((offer, excluding))
        else:
            fitting.append(offer)
    return Ranking(tuple(sorted(fitting, key=_order)), tuple(rejected))


def misfits(offer: Offer, wanted: Wanted) -> Iterator[str]:
    """The constraints that an offer does not meet, by the names that clients use."""
    return (name for name, fits in _FITS.items() if not fits(offer, wanted))


def check_fits(ranking: Ranking) -> None:
    """Raise InvalidInput that names each constraint which excluded offers, when nothing is left."""
    if ranking.fitting:
        return
    considered = len(ranking.rejected)
    if not considered:
        raise InvalidInput("no active provider has machines to offer", code="no_offer")
    problems = [
        FieldError(_POINTERS.get(name, f"/constraints/{name}"), f"excludes {count} of {considered} offers")
        for name, count in sorted(ranking.excluded.items(), key=lambda item: (-item[1], item[0]))
        if name != BARE_METAL
    ]
    raise InvalidInput("no offer fits what is asked for", code="no_offer", errors=problems)


def attempts(fitting: Sequence[Offer], *, in_zones: bool) -> list[Offer]:
    """What is tried, in order: an offer at the provider's choice of zone, then in each zone of its own, then the next.

    Not `in_zones` when the client chose a zone, or a subnet, which has one.
    """
    found: list[Offer] = []
    for offer in fitting[:OFFERS_TRIED]:
        zones = offer.place.zones if in_zones and len(offer.place.zones) > 1 else ()
        found += [offer, *(replace(offer, zone=zone) for zone in zones)]
    return found


def _costs_at_most(offer: Offer, usd_per_hour: Decimal | None) -> bool:
    if usd_per_hour is None:
        return True
    return offer.usd_per_hour is not None and offer.usd_per_hour <= usd_per_hour


def _order(offer: Offer) -> tuple[object, ...]:
    place, machine = offer.place, offer.machine_type
    price = Decimal(0) if offer.usd_per_hour is None else offer.usd_per_hour
    return (
        offer.usd_per_hour is None, price, offer.capacity_type is CapacityType.SPOT, machine.vcpu,
        machine.memory_gib, place.provider_name, place.region, machine.name, str(place.provider_id),
    )  # fmt: skip


_FITS: Mapping[str, Callable[[Offer, Wanted], bool]] = {
    PROVIDER_ID: lambda offer, wanted: wanted.provider_id in {None, offer.place.provider_id},
    REGION: lambda offer, wanted: wanted.region in {None, offer.place.region},
    SUBTYPE: lambda offer, wanted: wanted.resource_subtype in {None, offer.place.resource_subtype},
    CONFIGURATION: lambda offer, _: offer.place.refused is None,
    TYPE: lambda offer, wanted: wanted.instance_type in {None, offer.machine_type.name},
    CAPACITY: lambda offer, wanted: wanted.capacity_type in {None, offer.capacity_type},
    BARE_METAL: lambda offer, wanted: not offer.machine_type.bare_metal or wanted.instance_type is not None,
    "min_vcpu": lambda offer, wanted: offer.machine_type.vcpu >= (wanted.min_vcpu or 0),
    "min_memory_gib": lambda offer, wanted: offer.machine_type.memory_gib >= (wanted.min_memory_gib or 0),
    "architecture": lambda offer, wanted: wanted.architecture in {ANY, offer.machine_type.architecture},
    "regions": lambda offer, wanted: not wanted.regions or offer.place.region in wanted.regions,
    "providers": lambda offer, wanted: not wanted.providers or offer.place.provider_name in wanted.providers,
    PRICE: lambda offer, wanted: _costs_at_most(offer, wanted.max_price_usd_per_hour),
}


def refusal_of(error: BaseException | None) -> dict[str, Any] | None:
    """What to say of an offer that cannot be had, whenever that is learned: no capacity, no quota, no such type there.

    `said` is for whoever asks what was tried; a quota that `is_quota` used up is so in every zone. None for every other
    error, which no further offer helps against.
    """
    if not isinstance(error, NoCapacity | QuotaExceeded | InvalidRequest):
        return None
    if isinstance(error, InvalidRequest) and error.field != TYPE:
        return None
    said = {"code": error.code, "detail": error.message}
    return {"said": said, "is_quota": isinstance(error, QuotaExceeded)}

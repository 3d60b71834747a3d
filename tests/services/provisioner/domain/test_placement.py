"""Every offer is in its place: those that fit in the order of their prices, the others with what excludes them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provisioner.domain.placement import (
    OFFERS_TRIED,
    Offer,
    Place,
    Wanted,
    attempts,
    check_fits,
    misfits,
    offers_of,
    rank,
    refusal_of,
)
from shared.clouds.errors import FieldProblem, InvalidRequest, NoCapacity, ProviderFault, QuotaExceeded
from shared.clouds.models import CapacityType, MachineType
from shared.kit.errors import InvalidInput

PLACES = [
    Place(UUID(int=1), "aws", "us-east-1", "ec2_instance", zones=("us-east-1a", "us-east-1b")),
    Place(UUID(int=1), "aws", "eu-west-1", "ec2_instance"),
    Place(UUID(int=2), "linode", "us-east", "linode"),
    Place(UUID(int=3), "vultr", "ewr", "vultr_instance", refused="unknown field"),
]
TYPES = [
    MachineType(f"t{number}", "t", vcpu, memory, architecture, bare_metal=vcpu == 8)
    for number, (vcpu, memory, architecture) in enumerate(
        [(1, 0.5, "x86_64"), (2, 1.0, "x86_64"), (2, 4.0, "arm64"), (4, 8.0, "x86_64"), (8, 32.0, "x86_64")]
    )
]
PRICES = st.sampled_from([None, Decimal("0.005"), Decimal("0.0104"), Decimal("0.1"), Decimal(2)])
WAYS = st.sampled_from(CapacityType)
OFFERS = st.lists(
    st.builds(Offer, st.sampled_from(PLACES), st.sampled_from(TYPES), PRICES, capacity_type=WAYS), max_size=25
)
WANTED = st.builds(
    Wanted,
    provider_id=st.sampled_from([None, UUID(int=1), UUID(int=9)]),
    region=st.sampled_from([None, "us-east-1", "us-east"]),
    instance_type=st.sampled_from([None, "t1", "t4"]),
    capacity_type=st.sampled_from([None, "on_demand", "spot"]),
    min_vcpu=st.sampled_from([None, 2, 4]),
    min_memory_gib=st.sampled_from([None, 1.0, 5.5]),
    architecture=st.sampled_from(["any", "x86_64", "arm64"]),
    regions=st.sampled_from([frozenset(), frozenset({"us-east-1", "ewr"})]),
    providers=st.sampled_from([frozenset(), frozenset({"linode"}), frozenset({"aws", "vultr"})]),
    max_price_usd_per_hour=st.sampled_from([None, Decimal("0.0104"), Decimal(1)]),
)
ANYTHING = Wanted()


@given(OFFERS, WANTED)
def test_every_offer_either_fits_or_says_what_excludes_it(offers: list[Offer], wanted: Wanted) -> None:
    found = rank(offers, wanted)
    assert sorted(map(repr, [*found.fitting, *(offer for offer, _ in found.rejected)])) == sorted(map(repr, offers))
    assert all(not list(misfits(offer, wanted)) for offer in found.fitting)
    assert all(names for _, names in found.rejected)
    assert sum(found.excluded.values()) == sum(len(names) for _, names in found.rejected)


@given(OFFERS, WANTED)
def test_the_cheapest_comes_first_and_what_has_no_known_price_last(offers: list[Offer], wanted: Wanted) -> None:
    prices = [offer.usd_per_hour for offer in rank(offers, wanted).fitting]
    known = [price for price in prices if price is not None]
    assert prices[: len(known)] == sorted(known)
    if wanted.max_price_usd_per_hour is not None:
        assert len(known) == len(prices)
        assert all(price <= wanted.max_price_usd_per_hour for price in known)


@given(OFFERS.flatmap(lambda offers: st.tuples(st.just(offers), st.permutations(offers))), WANTED)
def test_the_order_does_not_depend_on_the_order_of_the_offers(
    offers: tuple[list[Offer], list[Offer]], wanted: Wanted
) -> None:
    assert rank(offers[0], wanted).fitting == rank(offers[1], wanted).fitting


@given(OFFERS, WANTED)
def test_another_constraint_lets_nothing_in_that_did_not_fit(offers: list[Offer], wanted: Wanted) -> None:
    before = set(rank(offers, wanted).fitting)
    narrower = [replace(wanted, min_vcpu=99), replace(wanted, providers=frozenset({"gcp"}), region=wanted.region)]
    narrower += [replace(wanted, max_price_usd_per_hour=Decimal("0.001"))]
    assert all(set(rank(offers, each).fitting) <= before for each in narrower)


@given(OFFERS, WANTED)
def test_what_is_tried_is_the_fitting_offers_in_their_order_zone_by_zone(offers: list[Offer], wanted: Wanted) -> None:
    fitting = rank(offers, wanted).fitting
    tried = attempts(fitting, in_zones=True)
    assert attempts(fitting, in_zones=False) == list(fitting[:OFFERS_TRIED])
    assert [offer for offer in tried if offer.zone is None] == list(fitting[:OFFERS_TRIED])
    for offer in tried:
        assert offer.zone is None or offer.zone in offer.place.zones


@pytest.mark.parametrize(
    ("wanted", "excluding"),
    [
        (Wanted(provider_id=UUID(int=9)), "provider_id"),
        (Wanted(region="mars-1"), "region"),
        (Wanted(resource_subtype="droplet"), "resource_subtype"),
        (Wanted(instance_type="x9.none"), "instance_type"),
        (Wanted(capacity_type="spot"), "capacity_type"),
        (Wanted(min_vcpu=3), "min_vcpu"),
        (Wanted(min_memory_gib=1.5), "min_memory_gib"),
        (Wanted(architecture="arm64"), "architecture"),
        (Wanted(regions=frozenset({"eu-west-1"})), "regions"),
        (Wanted(providers=frozenset({"gcp"})), "providers"),
        (Wanted(max_price_usd_per_hour=Decimal("0.01")), "max_price_usd_per_hour"),
    ],
)
def test_each_constraint_excludes_what_does_not_meet_it_and_is_named(wanted: Wanted, excluding: str) -> None:
    offer = Offer(PLACES[0], TYPES[1], Decimal("0.0104"))
    assert list(misfits(offer, wanted)) == [excluding]
    with pytest.raises(InvalidInput) as caught:
        check_fits(rank([offer], wanted))
    assert caught.value.code == "no_offer"
    [problem] = caught.value.errors
    assert problem.pointer.endswith(f"/{excluding}")
    assert problem.detail == "excludes 1 of 1 offers"


def test_an_unknown_price_fits_no_largest_price_and_no_unnamed_bare_metal_fits() -> None:
    unpriced, metal = Offer(PLACES[0], TYPES[1], None), Offer(PLACES[0], TYPES[4], Decimal(1))
    assert list(misfits(unpriced, ANYTHING)) == []
    assert list(misfits(unpriced, Wanted(max_price_usd_per_hour=Decimal(1000)))) == ["max_price_usd_per_hour"]
    assert list(misfits(metal, ANYTHING)) == ["bare_metal"]
    assert list(misfits(metal, Wanted(instance_type="t4"))) == []
    assert list(misfits(Offer(PLACES[3], TYPES[1], None), ANYTHING)) == ["configuration"]


def test_without_any_offer_nobody_has_machines() -> None:
    with pytest.raises(InvalidInput, match="no active provider"):
        check_fits(rank([], ANYTHING))


def test_every_type_of_a_place_is_an_offer_with_its_price_or_none() -> None:
    found = list(offers_of(PLACES[2], TYPES[:2], {"t1": Decimal("0.5"), "disk": Decimal(1)}))
    assert [(each.machine_type.name, each.usd_per_hour) for each in found] == [("t0", None), ("t1", Decimal("0.5"))]


def test_spot_is_a_second_offer_at_a_price_of_its_own_where_it_is_sold_and_only_when_it_is_allowed() -> None:
    """Both kinds sort by price together; at the same price, and without one, what is not taken back comes first."""
    sells, prices = replace(PLACES[1], sells_spot=True), {"t0": Decimal(3), "t1": Decimal(2), "spot:t1": Decimal(1)}
    assert {each.capacity_type for each in offers_of(sells, TYPES[:2], prices)} == {CapacityType.ON_DEMAND}
    assert len(list(offers_of(PLACES[2], TYPES[:2], prices, with_spot=True))) == 2
    offers = [*offers_of(sells, TYPES[:2], prices, with_spot=True), *offers_of(PLACES[2], TYPES[:1], {})]

    def told(wanted: Wanted) -> list[tuple[str, str, Decimal | None]]:
        return [
            (each.machine_type.name, str(each.capacity_type), each.usd_per_hour)
            for each in rank(offers, wanted).fitting
        ]

    assert told(ANYTHING) == [
        ("t1", "spot", 1), ("t1", "on_demand", 2), ("t0", "on_demand", 3), ("t0", "on_demand", None), ("t0", "spot", None),
    ]  # fmt: skip
    assert told(Wanted(max_price_usd_per_hour=Decimal(1))) == [("t1", "spot", 1)]
    alike = [Offer(sells, each, Decimal(1), capacity_type=way) for each in TYPES[:2] for way in reversed(CapacityType)]
    assert [str(each.capacity_type) for each in rank(alike, ANYTHING).fitting] == ["on_demand"] * 2 + ["spot"] * 2


SAID: Any = {"code": "Code", "message": "words", "provider": "aws", "operation": "RunInstances"}


def bad(field: str) -> InvalidRequest:
    return InvalidRequest(**SAID, problems=(FieldProblem(field, "words"),))


def test_only_what_another_offer_may_have_is_a_refusal() -> None:
    for error in (NoCapacity(**SAID), QuotaExceeded(**SAID), bad("instance_type")):
        is_quota = isinstance(error, QuotaExceeded)
        assert refusal_of(error) == {"said": {"code": "Code", "detail": "words"}, "is_quota": is_quota}, error
    for other in (InvalidRequest(**SAID), bad("image"), ProviderFault(**SAID), ValueError(), None):
        assert refusal_of(other) is None, other

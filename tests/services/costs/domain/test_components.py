"""What each kind pays for: once, in its own words, and nothing that can be made is forgotten."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.costs.domain.components import MACHINES, UNPRICED, components
from services.costs.domain.costs import cost_tracking, daily_costs, open_meters
from services.costs.domain.prices import Price, Prices, Rate, rate
from services.costs.domain.resources import Facts, Transition, periods
from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.models import ResourceOffer
from shared.clouds.registry import catalog_of, list_prices_of, provider_names

TODAY = date(2026, 11, 26)
HOMES = {"aws": "us-east-1", "azure": "eastus", "gcp": "us-central1",
         "digitalocean": "nyc3", "linode": "us-east", "vultr": "ewr"}  # fmt: skip
"""The region of each cloud in which its prices are looked up when none is named."""

NEEDED: Mapping[tuple[str, str], dict[str, Any]] = {
    ("aws", "route53_zone"): {"name": "example.com"},
    ("aws", "cloudfront_distribution"): {"bucket": "albums"},
    ("azure", "dns_zone"): {"zone_name": "example.com"},
    ("azure", "front_door"): {"origin": "www.example.com"},
    ("gcp", "cloud_cdn"): {"bucket": "albums"},
    ("gcp", "cloud_dns_zone"): {"zone_name": "example.com"},
    ("digitalocean", "cdn_endpoint"): {"origin": "albums.nyc3.digitaloceanspaces.com"},
    ("digitalocean", "domain"): {"zone_name": "example.com"},
    ("linode", "domain"): {"zone_name": "example.com", "soa_email": "ada@example.com"},
    ("vultr", "cdn_pull_zone"): {"origin_domain": "www.example.com"},
    ("vultr", "dns_domain"): {"zone_name": "example.com"},
    ("vultr", "object_storage"): {"tier_id": 2},
}
"""What has no default, and the tier of which a price is known."""


def facts(subtype: str, configuration: dict[str, Any], provider_name: str = "aws", region: str = "us-east-1") -> Facts:
    return Facts(provider_name, region, subtype, configuration)


def listed(provider_name: str, region: str) -> Prices:
    """A region of a provider's price list."""
    rows = list_prices_of(provider_name).of_region(region).values()
    return {(region, row.item): [Price(row.item, row.unit, row.usd, row.valid_from, row.source)] for row in rows}


def rates(found: Facts) -> list[Rate]:
    prices = listed(found.provider_name, found.region)
    return [rate(part, found.region, prices, TODAY) for part in components(found)]


def offers() -> Iterator[tuple[str, ResourceOffer, Facts]]:
    """Everything that can be made, as it is made when nothing is asked for."""
    for name in provider_names():
        for offer in catalog_of(name).offers():
            kind, region = (name, offer.resource_subtype), GLOBAL_REGION if offer.is_global else HOMES[name]
            made = catalog_of(name).configuration(offer.resource_type, offer.resource_subtype, NEEDED.get(kind, {}))
            yield name, offer, Facts(name, region, offer.resource_subtype, dict(made))


def test_everything_that_can_be_made_has_a_price_or_a_written_reason_why_not() -> None:
    """In its cloud's home region; a kind that is new has to be given the one or the other."""
    unpriced = set()
    for name, offer, made in offers():
        kind, found = (name, offer.resource_subtype), rates(made)
        if kind in UNPRICED:
            unpriced.add(kind)
            assert found == [Rate(None, f"no price for {offer.resource_subtype}: {UNPRICED[kind][1]}")], kind
        else:
            assert found, kind
            assert all(each.usd_per_hour is not None for each in found), (kind, found)
    assert unpriced == set(UNPRICED)


def test_a_resource_has_one_part_at_most_of_each_category() -> None:
    """Meters and days are kept by resource and category."""
    for name, offer, made in offers():
        found = [part.category for part in components(made)]
        assert len(found) == len(set(found)), (name, offer.resource_subtype)
        assert offer.resource_type != "compute" or offer.resource_subtype in MACHINES


@pytest.mark.parametrize(
    ("subtype", "configuration", "expected"),
    [
        ("volume", {"size_gib": 100, "kind": "gp3"}, ("storage", "disk:gp3", Decimal(100), True)),
        ("volume", {"size_gib": 8, "kind": None}, ("storage", "disk", Decimal(8), True)),
        ("volume", {"size_gib": None, "kind": "gp3"}, ("storage", "disk:gp3", None, True)),
        ("snapshot", {"size_gib": 8}, ("storage", "snapshot", Decimal(8), True)),
        ("machine_image", {"size_gib": 8}, ("storage", "machine_image", Decimal(8), True)),
        ("droplet", {"instance_type": "s-1vcpu-1gb"}, ("compute", "s-1vcpu-1gb", Decimal(1), False)),
        ("virtual_machine", {"instance_type": "Standard_B1s"}, ("compute", "Standard_B1s", Decimal(1), False)),
        (
            "gce_instance",
            {"instance_type": "e2-micro", "capacity_type": "spot"},
            ("compute", "spot:e2-micro", Decimal(1), False),
        ),
        ("quantum_computer", {}, ("other", "quantum_computer", None, True)),
    ],
)
def test_each_kind_of_thing_is_paid_for_once(
    subtype: str, configuration: dict[str, Any], expected: tuple[object, ...]
) -> None:
    """A machine does not pay for its volumes: they are in the inventory and pay for themselves."""
    (only,) = components(facts(subtype, configuration))
    assert (only.category, only.item, only.quantity, only.while_stopped) == expected


def test_free_is_not_unknown() -> None:
    (free,), (unknown,) = rates(facts("vpc", {})), rates(facts("vpc_network", {}, "gcp", GLOBAL_REGION))
    assert free == Rate(Decimal(0))
    assert unknown.usd_per_hour is None
    assert str(unknown.unpriced).startswith("no price for vpc_network: ")


HOURLY = [
    (facts("load_balancer", {"load_balancer_type": "network"}), "0.0225"),
    (facts("load_balancer", {"nodes": 3}, "digitalocean", "nyc3"), "0.05"),  # 3 x $12 / 720 h
    (facts("load_balancer", {"nodes": 2, "type": "REGIONAL_NETWORK"}, "digitalocean", "nyc3"), "0.041666667"),
    (facts("load_balancer", {"sku": "Basic"}, "azure", "eastus"), None),
    (facts("nodebalancer", {}, "linode", "br-gru"), "0.021"),
    (facts("database_cluster", {"engine": "pg", "instance_type": "db-s-1vcpu-2gb", "nodes": 2}, "digitalocean", "nyc3"),
     "0.083333333"),  # 2 x $30 / 720 h
    (facts("database_cluster", {"engine": "mongodb", "instance_type": "db-s-1vcpu-1gb", "nodes": 1}, "digitalocean",
           "nyc3"), None),
    (facts("managed_database", {"instance_type": "g6-nanode-1", "cluster_size": 3}, "linode", "us-east"), None),
    (facts("sql_database", {"instance_type": "GP_Gen5_2", "storage_gib": 32, "zone_redundant": True}, "azure", "eastus"),
     "0.697252222"),  # 0.68703 + 32 x $0.23 / 720 h
    (facts("sql_database", {"instance_type": "P1", "storage_gib": 500}, "azure", "eastus"), "0.625"),
    (facts("cloud_sql_instance", {"instance_type": "db-custom-2-7680", "storage_gib": 20, "high_availability": True},
           "gcp", "us-central1"), "0.279644444"),  # 0.2702 + 20 x $0.34 / 720 h
    (facts("front_door", {"sku": "Premium_AzureFrontDoor"}, "azure", GLOBAL_REGION), "0.458333333"),  # $330 / 720 h
    (facts("object_storage", {"tier_id": None}, "vultr", "ewr"), None),
    (facts("volume", {"size_gib": 10}, "linode", "id-cgk"), "0.001666667"),  # 10 x $0.12 / 720 h
]  # fmt: skip


def test_what_a_thing_costs_follows_its_size_nodes_and_zones() -> None:
    """Computed by hand from the published prices; None: a size of which none is known."""
    for found, expected in HOURLY:
        amounts = [each.usd_per_hour for each in rates(found)]
        known = [amount for amount in amounts if amount is not None]
        total = sum(known, Decimal(0)) if len(known) == len(amounts) else None
        assert (None if total is None else round(total, 9)) == (None if expected is None else Decimal(expected)), found


START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
DATABASE = facts("rds_instance", {"engine": "postgres", "instance_type": "db.m7g.large", "storage_gib": 100,
                                  "multi_az": True})  # fmt: skip


def at(hours: float, status: str, version: int) -> Transition:
    return Transition(version, START + timedelta(hours=hours), status, DATABASE)


def test_a_database_in_two_zones_pays_for_both_and_while_it_stands_still_for_its_storage() -> None:
    """$0.337 an hour as listed for two zones; 100 GiB x $0.23 / 720 h; ten hours of fifteen it runs."""
    life, prices = [at(0, "running", 1), at(10, "stopped", 2), at(15, "terminated", 3)], listed("aws", "us-east-1")
    days = daily_costs(periods(life), prices, START.date(), START + timedelta(days=2))
    assert {each.category: round(each.amount or 0, 6) for each in days} == {
        "database": Decimal("3.37"), "storage": Decimal("0.479167")
    }  # fmt: skip
    now = START + timedelta(hours=9)
    tracking = cost_tracking(open_meters(periods(life[:1]), prices, now), Decimal(0), now)
    assert (tracking["hourly"], tracking["monthly"]) == (0.368944444, 265.64)
    assert tracking["included"] == ["database:postgres:db.m7g.large:multi_az", "database_storage:multi_az"]
    assert len(tracking["not_included"]) == 1
    stopped = open_meters(periods(life[:2]), prices, START + timedelta(hours=11))
    assert [meter.category for meter in stopped] == ["storage"]

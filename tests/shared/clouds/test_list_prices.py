"""The prices of this release: complete, dated, sourced, and read a region at a time."""

import csv
import gzip
import json
import re
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import moto
import pytest

from deploy.price_lists.__main__ import CLOUDS, with_assets
from shared.clouds.errors import Unsupported
from shared.clouds.list_prices import NAME, ListPrice, ListPrices
from shared.clouds.registry import list_prices_of, machine_types_of, provider_names

OFFERINGS = Path(moto.__file__).parent / "ec2/resources/instance_type_offerings/region"
README = Path(__file__).parents[3] / "shared/clouds/prices.md"

ROWS = {"aws": 43_870, "azure": 84_127, "digitalocean": 1_874, "gcp": 35_146, "linode": 1_054, "vultr": 2_684}
FREE = {"vpc", "virtual_network", "domain", "cdn_endpoint"}
ASSETS = {"database", "load_balancer", "nodebalancer", "forwarding_rule", "cloud_dns_zone"}
"""What costs something by the hour and is no machine: the first part of the item."""

# Copied from the sources that shared/clouds/prices.md names.
GOLDEN = [
    ("aws", "us-east-1", "t3.micro", "hour", "0.0104", date(2026, 7, 1)),
    ("aws", "us-west-2", "t3.micro", "hour", "0.0104", date(2024, 8, 1)),
    ("aws", "us-east-1", "m5.large", "hour", "0.096", date(2026, 7, 1)),
    ("aws", "af-south-1", "c5.12xlarge", "hour", "2.736", date(2024, 8, 1)),
    ("aws", "mx-central-1", "t3.micro", "hour", "0.0109", date(2025, 3, 1)),
    ("aws", "us-east-1", "disk:gp3", "gib_month", "0.08", date(2024, 9, 1)),
    ("aws", "eu-central-1", "disk:gp3", "gib_month", "0.0952", date(2024, 9, 1)),
    ("aws", "us-west-2", "m8i.large", "hour", "0.10584", date(2026, 7, 1)),
    ("aws", "us-east-1", "spot:t3.micro", "hour", "0.003224", date(2025, 6, 1)),
    ("azure", "eastus", "spot:Standard_D2s_v5", "hour", "0.01056", date(2024, 8, 1)),
    ("gcp", "us-central1", "spot:e2-micro", "hour", "0.005026", date(2026, 7, 1)),
    ("aws", "us-west-2", "snapshot", "gib_month", "0.05", date(2024, 9, 1)),
    ("azure", "eastus", "Standard_B1s", "hour", "0.0104", date(2024, 8, 1)),
    ("azure", "eastus", "Standard_D2s_v5", "hour", "0.096", date(2024, 8, 1)),
    ("gcp", "us-central1", "e2-micro", "hour", "0.008376", date(2026, 7, 1)),
    ("gcp", "us-central1", "disk:pd-balanced", "gib_month", "0.1", date(2026, 7, 1)),
    ("digitalocean", "nyc3", "s-1vcpu-1gb", "hour", "0.00893", date(2025, 8, 1)),
    ("digitalocean", "fra1", "g-48vcpu-192gb-intel", "hour", "2.6994", date(2025, 8, 1)),
    ("linode", "us-east", "g6-standard-2", "hour", "0.036", date(2024, 12, 1)),
    ("linode", "br-gru", "g6-dedicated-64", "hour", "9.677", date(2024, 1, 1)),
    ("vultr", "ewr", "vc2-1c-1gb", "hour", "0.00685", date(2022, 10, 1)),
    ("aws", "us-east-1", "database:mysql:db.t3.large:multi_az", "hour", "0.272", date(2024, 8, 1)),
    ("aws", "global", "route53_zone", "month", "0.5", date(2026, 9, 1)),
    ("aws", "eu-west-1", "vpc", "month", "0", date(2023, 6, 1)),
    ("azure", "eastus", "database:S0", "hour", "0.02016", date(2024, 6, 1)),
    ("gcp", "global", "forwarding_rule", "hour", "0.025", date(2026, 9, 1)),
    ("digitalocean", "fra1", "load_balancer", "month", "12", date(2025, 2, 1)),
    ("linode", "br-gru", "nodebalancer", "hour", "0.021", date(2024, 1, 1)),
    ("vultr", "ewr", "object_storage:2", "month", "18", date(2025, 9, 1)),
    ("vultr", "sao", "vc2-1c-1gb-sc1", "hour", "0.01027", date(2022, 10, 1)),
]


def text_rows(provider_name: str) -> list[tuple[str, ...]]:
    """As they stand in the file."""
    text = gzip.decompress((CLOUDS / provider_name / NAME).read_bytes()).decode()
    return [tuple(row) for row in csv.reader(text.splitlines()[1:])]


@cache
def all_of(provider_name: str) -> list[ListPrice]:
    prices = list_prices_of(provider_name)
    return [each for region in prices.regions() for each in prices.of_region(region).values()]


@pytest.mark.parametrize(("provider_name", "region", "item", "unit", "usd", "valid_from"), GOLDEN)
def test_published_prices_are_in_the_files(
    provider_name: str, region: str, item: str, unit: str, usd: str, valid_from: date
) -> None:
    found = list_prices_of(provider_name).of_region(region)[item]
    assert (found.region, found.item) == (region, item)
    assert (found.unit, found.usd, found.valid_from) == (unit, Decimal(usd), valid_from)


@pytest.mark.parametrize("provider_name", provider_names())
def test_every_price_is_above_zero_or_free_dated_and_names_its_source(provider_name: str) -> None:
    """All rows are found again through their regions: the rows of each stand together, and none is there twice."""
    found = all_of(provider_name)
    readme = README.read_text()
    assert len(found) == ROWS[provider_name]
    assert all((each.usd == 0) == (each.item in FREE) and each.usd >= 0 for each in found)
    assert {each.unit for each in found} <= {"hour", "month", "gib_month"}
    assert all(part in readme for each in found for part in each.source.split(", "))


@pytest.mark.parametrize("provider_name", provider_names())
def test_a_price_by_the_hour_is_that_of_a_known_type_or_of_one_without_a_known_size(provider_name: str) -> None:
    types = machine_types_of(provider_name)
    items = {each.item.removeprefix("spot:") for each in all_of(provider_name) if each.unit == "hour"}
    unknown = {item for item in items if item.partition(":")[0] not in ASSETS} - types.keys()
    assert not unknown or provider_name == "aws", unknown


def test_the_prices_of_assets_are_in_the_lists_as_they_were_written_down() -> None:
    """`python -m deploy.price_lists write` puts them there; each is short enough for the table of costs."""
    for name in provider_names():
        present = [(each.region, each.item) for each in all_of(name)]
        rows = [row for row in text_rows(name) if row]
        assert with_assets(name, rows, None) == rows, name
        assert len(present) == len(rows)
        assert max(len(item) for _, item in present) <= 64


def test_what_is_not_on_a_list_has_no_price() -> None:
    prices = list_prices_of("aws")
    assert "x9.none" not in prices.of_region("us-east-1")
    assert prices.of_region("mars-1") == prices.of_region("") == prices.of_region("us-east") == {}
    assert list_prices_of("vultr").of_region("sao").keys().isdisjoint(list_prices_of("vultr").of_region("ewr"))
    with pytest.raises(Unsupported, match="Unsupported provider"):
        list_prices_of("mars")


def test_a_provider_without_a_file_has_no_prices(tmp_path: Path) -> None:
    prices = ListPrices(tmp_path)
    assert prices.regions() == ()
    assert prices.of_region("us-east-1") == {}
    assert len(prices.content_hash) == 64
    assert prices.content_hash != list_prices_of("aws").content_hash


def test_the_readme_says_how_many_of_the_types_of_each_region_have_a_price() -> None:
    told = dict(re.findall(r"^\| ([a-z0-9-]+) \| (\d+ \| \d+) \|$", README.read_text(), re.MULTILINE))
    found = {}
    for file in OFFERINGS.iterdir():
        region = file.name.partition(".")[0]
        offered = {each["InstanceType"] for each in json.loads(gzip.decompress(file.read_bytes()))}
        found[region] = f"{len(offered)} | {len(offered & set(list_prices_of('aws').of_region(region)))}"
    assert told == found


def test_what_is_derived_costs_what_it_costs_in_us_east_1() -> None:
    rows = {(each.region, each.item): each for each in all_of("aws")}
    derived = [each for each in rows.values() if each.source.startswith("derived")]
    assert {each.region for each in derived} == {"us-east-2", "us-west-2"}
    for each in derived:
        assert each.usd == rows["us-east-1", each.item].usd
        assert "metal" not in each.item


def test_a_spot_price_is_beside_a_price_on_demand_and_at_most_as_high() -> None:
    """At Azure none is of a size that it does not sell so; clouds without a spot market have none."""
    for name in provider_names():
        rows = {(each.region, each.item): each for each in all_of(name)}
        spot = [each for each in rows.values() if each.item.startswith("spot:")]
        assert bool(spot) == (name in {"aws", "azure", "gcp"}), name
        for each in spot:
            assert each.usd <= rows[each.region, each.item.removeprefix("spot:")].usd, each
            assert not each.item.startswith("spot:Standard_B"), each

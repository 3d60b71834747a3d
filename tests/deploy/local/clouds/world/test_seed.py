"""One seed plants the same estate in every world, over all clouds, and it survives a kill."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.clouds.estate import SHARES, SeedOrder, planned
from tests.deploy.local.clouds.world.conftest import World

MACHINES = 100


def lists(world: World, what: str) -> dict[str, list[dict[str, Any]]]:
    """By provider."""
    ports = json.loads((world.folder / "ports").read_text())
    found = {}
    for provider, port in ports.items():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_sim/{what}") as answer:
            found[provider] = json.load(answer)[what]
    return found


def test_an_estate_is_over_all_clouds_and_stays(own_world: Callable[[], World]) -> None:
    world = own_world()
    expected = {provider: share for provider, share in SHARES.items() if provider != "aws"}
    assert world.sim("POST", "seed", {"seed": 3, "machines": MACHINES})["planted"] == expected
    machines = lists(world, "instances")
    assert {provider: len(found) for provider, found in machines.items()} == expected
    everything = [each for found in machines.values() for each in found]
    assert any(not value.isascii() for each in everything for value in each["tags"].values())
    assert len({each["region"] for each in machines["azure"]}) == 3
    assert {each["state"] for each in everything} >= {"running", "RUNNING", "active"}
    volumes = lists(world, "volumes")
    assert len(volumes["azure"]) > expected["azure"]
    assert len(volumes["gcp"]) > expected["gcp"]
    page = world.call("GET", "/v2/droplets?per_page=200").document["droplets"]
    assert [each["name"] for each in page] == [
        each.name for each in planned(3, "digitalocean", expected["digitalocean"])
    ]
    assert all(each["networks"]["v4"] for each in page)
    seeded = [each for each in world.ledger() if each["action"] == "seed"]
    assert sorted(each for line in seeded for each in line["result_ids"]) == sorted(
        machine["id"] for found in machines.values() for machine in found
    )
    cases = world.sim("GET", "cases")["cases"]
    assert cases
    assert all(each["answer"]["action"] for each in cases)
    world.end()
    again = own_world()
    assert lists(again, "instances") == machines
    assert again.sim("GET", "cases")["cases"] == cases
    assert set(again.sim("POST", "seed", {"seed": 3, "machines": MACHINES})["planted"].values()) == {0}


def test_the_same_seed_plans_the_same_estate() -> None:
    assert list(planned(1, "gcp", 50)) == list(planned(1, "gcp", 60))[:50]
    assert list(planned(1, "gcp", 50)) != list(planned(2, "gcp", 50))
    stopped = sum(each.is_stopped for each in planned(1, "aws", 1000))
    assert 40 < stopped < 130
    assert {each.size for each in planned(1, "aws", 200)} == {0, 1, 2, 3}


@pytest.mark.parametrize("machines", [1, 7, 99, 10_000])
def test_the_shares_come_to_the_whole(machines: int) -> None:
    order = SeedOrder(1, machines)
    assert sum(order.count_at(provider) for provider in SHARES) == machines
    assert SeedOrder(1, machines, "linode").count_at("linode") == machines
    assert SeedOrder(1, machines, "linode").count_at("gcp") == 0

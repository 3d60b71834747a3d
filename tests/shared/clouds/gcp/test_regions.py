"""Regions of Google Cloud have zones and places; what is new there is shown without a place, not left out."""

import pytest

from deploy.local.clouds.gcp.places import REGIONS
from shared.clouds.capabilities import (
    WithImages,
    WithMachines,
    WithMetrics,
    WithNetworks,
    WithSnapshots,
    WithVolumes,
    capabilities_of,
)
from shared.clouds.errors import NotFound, ProviderFault
from shared.clouds.gcp.regions import PLACES, GcpPlaces, _region
from shared.clouds.models import GeographicLocation

pytestmark = pytest.mark.anyio


async def test_all_regions_are_listed_in_order_with_zones_and_places(cloud):
    regions = await cloud.regions()
    assert [each.region_code for each in regions] == sorted(REGIONS)
    by_code = {each.region_code: each for each in regions}
    assert by_code["us-central1"].availability_zones == tuple(f"us-central1-{letter}" for letter in "abcf")
    assert by_code["europe-west3"].region_name == "Frankfurt (europe-west3)"
    assert by_code["europe-west3"].geographic_location == GeographicLocation("Europe", "Germany", "Frankfurt")


def test_a_region_that_we_do_not_know_has_no_place():
    found = _region("moon-central1", ("moon-central1-a",))
    assert (found.region_name, found.geographic_location) == ("moon-central1", None)
    assert len(PLACES) >= 40


async def test_a_regions_zones_are_asked_for_once_in_five_minutes(cloud, gcp):
    clock = [0.0]
    places = GcpPlaces(cloud._client, monotonic_s=lambda: clock[0])
    region, before = "asia-southeast1", gcp.calls().get(("asia-southeast1", "regions.get"), 0)
    for now_s, calls in ((0.0, 1), (299.0, 1), (301.0, 2)):
        clock[0] = now_s
        assert len(await places.zones(region)) == 3
        assert gcp.calls()[(region, "regions.get")] - before == calls


async def test_a_region_that_is_none_is_not_found_and_a_lost_one_is_no_answer(cloud, gcp):
    with pytest.raises(NotFound):
        await cloud.machines.find_by_token("nowhere-1", "t")
    gcp.fault(match={"service": "gcp", "region": "australia-southeast1"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.machines.find_by_token("australia-southeast1", "t")


async def test_google_has_these_capabilities(cloud):
    for capability in (WithMachines, WithVolumes, WithSnapshots, WithImages, WithNetworks, WithMetrics):
        assert isinstance(cloud, capability)
    words = {word for word, has in capabilities_of(cloud).items() if has}
    assert words == {"compute", "storage", "database", "networking", "monitoring", "cdn"}

"""Azure's own words about a region become a place on earth."""

import pytest

from deploy.local.clouds.azure.areas import AREAS
from shared.clouds.azure.regions import place_of
from shared.clouds.models import GeographicLocation

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("group", "geography", "physical", "place"),
    [
        ("US", "United States", "Virginia", GeographicLocation("North America", "United States", "Virginia")),
        ("Europe", "Europe", "Ireland", GeographicLocation("Europe", "Ireland")),
        ("Asia Pacific", "Asia Pacific", "Singapore", GeographicLocation("Asia", "Singapore")),
        ("Asia Pacific", "Australia", "Victoria", GeographicLocation("Oceania", "Australia", "Victoria")),
        ("Middle East", "UAE", "Dubai", GeographicLocation("Asia", "UAE", "Dubai")),
        ("Europe", "Sweden", "", GeographicLocation("Europe", "Sweden")),
        ("Antarctica", "Ice", "Pole", None),
        ("", "", "", None),
    ],
)
def test_a_place_is_read_from_geography(group, geography, physical, place):
    metadata = {"geographyGroup": group, "geography": geography, "physicalLocation": physical}
    assert place_of(metadata) == place


def test_nothing_known_is_no_place():
    assert place_of({}) is None


async def test_every_region_has_its_zones_name_and_place(cloud):
    regions = {each.region_code: each for each in await cloud.regions()}
    assert set(regions) == set(AREAS)
    assert list(regions) == sorted(regions)
    assert regions["westus"].availability_zones == ()
    assert regions["eastus"].availability_zones == ("1", "2", "3")
    assert regions["northeurope"].region_name == "North Europe"
    assert all(each.geographic_location for each in regions.values())

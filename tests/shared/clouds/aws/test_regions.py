"""The table of places knows AWS's regions."""

import boto3
import pytest

from shared.clouds.aws.regions import PLACES

pytestmark = pytest.mark.anyio

CONTINENTS = {"Africa", "Asia", "Europe", "North America", "Oceania", "South America"}


def test_every_region_that_the_sdk_knows_has_a_place():
    assert set(boto3.Session().get_available_regions("ec2")) <= set(PLACES)


def test_every_place_is_on_a_continent():
    assert {continent for _, continent, _, _ in PLACES.values()} <= CONTINENTS


async def test_a_region_newer_than_the_table_is_shown_by_its_code(cloud, simulated_aws):
    regions = {each.region_code: each for each in await cloud.regions()}
    unknown = set(regions) - set(PLACES)
    assert len(regions) > 10
    for code in unknown:
        assert regions[code].region_name == code
        assert regions[code].geographic_location is None

"""Which regions has AWS, with which zones, and where on earth are they?

Places: docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from shared.clouds.aws.client import AwsClient
from shared.clouds.errors import CloudError
from shared.clouds.models import GeographicLocation, Region

# region code: its name, continent, country, city or state
PLACES: Mapping[str, tuple[str, str, str, str | None]] = {
    "af-south-1": ("Africa (Cape Town)", "Africa", "South Africa", "Cape Town"),
    "ap-east-1": ("Asia Pacific (Hong Kong)", "Asia", "China", "Hong Kong"),
    "ap-east-2": ("Asia Pacific (Taipei)", "Asia", "Taiwan", "Taipei"),
    "ap-northeast-1": ("Asia Pacific (Tokyo)", "Asia", "Japan", "Tokyo"),
    "ap-northeast-2": ("Asia Pacific (Seoul)", "Asia", "South Korea", "Seoul"),
    "ap-northeast-3": ("Asia Pacific (Osaka)", "Asia", "Japan", "Osaka"),
    "ap-south-1": ("Asia Pacific (Mumbai)", "Asia", "India", "Mumbai"),
    "ap-south-2": ("Asia Pacific (Hyderabad)", "Asia", "India", "Hyderabad"),
    "ap-southeast-1": ("Asia Pacific (Singapore)", "Asia", "Singapore", "Singapore"),
    "ap-southeast-2": ("Asia Pacific (Sydney)", "Oceania", "Australia", "Sydney"),
    "ap-southeast-3": ("Asia Pacific (Jakarta)", "Asia", "Indonesia", "Jakarta"),
    "ap-southeast-4": ("Asia Pacific (Melbourne)", "Oceania", "Australia", "Melbourne"),
    "ap-southeast-5": ("Asia Pacific (Malaysia)", "Asia", "Malaysia", None),
    "ap-southeast-6": ("Asia Pacific (New Zealand)", "Oceania", "New Zealand", "Auckland"),
    "ap-southeast-7": ("Asia Pacific (Thailand)", "Asia", "Thailand", "Bangkok"),
    "ca-central-1": ("Canada (Central)", "North America", "Canada", "Montreal"),
    "ca-west-1": ("Canada West (Calgary)", "North America", "Canada", "Calgary"),
    "eu-central-1": ("Europe (Frankfurt)", "Europe", "Germany", "Frankfurt"),
    "eu-central-2": ("Europe (Zurich)", "Europe", "Switzerland", "Zurich"),
    "eu-north-1": ("Europe (Stockholm)", "Europe", "Sweden", "Stockholm"),
    "eu-south-1": ("Europe (Milan)", "Europe", "Italy", "Milan"),
    "eu-south-2": ("Europe (Spain)", "Europe", "Spain", None),
    "eu-west-1": ("Europe (Ireland)", "Europe", "Ireland", "Dublin"),
    "eu-west-2": ("Europe (London)", "Europe", "United Kingdom", "London"),
    "eu-west-3": ("Europe (Paris)", "Europe", "France", "Paris"),
    "il-central-1": ("Israel (Tel Aviv)", "Asia", "Israel", "Tel Aviv"),
    "me-central-1": ("Middle East (UAE)", "Asia", "United Arab Emirates", None),
    "me-south-1": ("Middle East (Bahrain)", "Asia", "Bahrain", None),
    "mx-central-1": ("Mexico (Central)", "North America", "Mexico", "Querétaro"),
    "sa-east-1": ("South America (São Paulo)", "South America", "Brazil", "São Paulo"),
    "us-east-1": ("US East (N. Virginia)", "North America", "United States", "Northern Virginia"),
    "us-east-2": ("US East (Ohio)", "North America", "United States", "Ohio"),
    "us-west-1": ("US West (N. California)", "North America", "United States", "Northern California"),
    "us-west-2": ("US West (Oregon)", "North America", "United States", "Oregon"),
}


async def regions_of(client: AwsClient, codes: Collection[str] | None) -> list[Region]:
    """The regions enabled for the account; zones are asked of all regions at once, as many as there are threads."""
    answer = await client.call("ec2", client.default_region, "DescribeRegions", AllRegions=False)
    names = sorted(each["RegionName"] for each in answer["Regions"])
    chosen = [each for each in names if codes is None or each in codes]
    zones = await asyncio.gather(*(_zones(client, each) for each in chosen))
    return [_region(code, found) for code, found in zip(chosen, zones, strict=True)]


async def _zones(client: AwsClient, region: str) -> tuple[str, ...] | None:
    """None, unknown, when the region does not answer: one lost region must not hide the others."""
    try:
        answer = await client.call("ec2", region, "DescribeAvailabilityZones")
    except CloudError:
        return None
    return tuple(
        sorted(
            each["ZoneName"]
            for each in answer["AvailabilityZones"]
            if each.get("ZoneType", "availability-zone") == "availability-zone"
        )
    )


def _region(code: str, zones: tuple[str, ...] | None) -> Region:
    place = PLACES.get(code)
    if place is None:
        return Region(code, code, zones, None)
    name, continent, country, city = place
    return Region(code, name, zones, GeographicLocation(continent, country, city))

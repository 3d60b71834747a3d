"""Which regions has DigitalOcean, and where on earth are they?

Places: docs.digitalocean.com/platform/regional-availability.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import GeographicLocation, Region

# region slug: continent, country, city
PLACES: Mapping[str, tuple[str, str, str]] = {
    "ams2": ("Europe", "Netherlands", "Amsterdam"),
    "ams3": ("Europe", "Netherlands", "Amsterdam"),
    "atl1": ("North America", "United States", "Atlanta"),
    "blr1": ("Asia", "India", "Bangalore"),
    "fra1": ("Europe", "Germany", "Frankfurt"),
    "lon1": ("Europe", "United Kingdom", "London"),
    "nyc1": ("North America", "United States", "New York"),
    "nyc2": ("North America", "United States", "New York"),
    "nyc3": ("North America", "United States", "New York"),
    "ric1": ("North America", "United States", "Richmond"),
    "sfo1": ("North America", "United States", "San Francisco"),
    "sfo2": ("North America", "United States", "San Francisco"),
    "sfo3": ("North America", "United States", "San Francisco"),
    "sgp1": ("Asia", "Singapore", "Singapore"),
    "syd1": ("Oceania", "Australia", "Sydney"),
    "tor1": ("North America", "Canada", "Toronto"),
}

WITH_SPACES = frozenset({
    "ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1",
})  # fmt: skip
"""In which Spaces has buckets (docs.digitalocean.com/products/spaces/details/availability)."""


async def regions_of(client: LibcloudClient, codes: Collection[str] | None) -> list[Region]:
    """A region is one data centre, so it is its own only zone; one that says it is not available has unknown zones."""
    answer = await client.request("regions.list", "GET", "/v2/regions", query={"per_page": 200})
    with client.reading("regions.list"):
        found = [_region(each) for each in answer["regions"] if codes is None or each["slug"] in codes]
    return sorted(found, key=lambda each: each.region_code)


def _region(document: Mapping[str, Any]) -> Region:
    slug, name = str(document["slug"]), str(document["name"])
    place = PLACES.get(slug)
    zones = (slug,) if document["available"] else None
    return Region(slug, name, zones, None if place is None else GeographicLocation(*place))

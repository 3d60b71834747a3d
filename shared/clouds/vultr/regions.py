"""Which regions has Vultr, and where on earth are they?"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from shared.clouds.errors import CloudError
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import GeographicLocation, Region

COUNTRIES: Mapping[str, str] = {
    "AU": "Australia", "BR": "Brazil", "CA": "Canada", "CL": "Chile", "DE": "Germany", "ES": "Spain", "FR": "France",
    "GB": "United Kingdom", "IL": "Israel", "IN": "India", "JP": "Japan", "KR": "South Korea", "MX": "Mexico",
    "NL": "Netherlands", "PL": "Poland", "SE": "Sweden", "SG": "Singapore", "US": "United States",
    "ZA": "South Africa",
}  # fmt: skip


async def regions_of(client: LibcloudClient, codes: Collection[str] | None) -> list[Region]:
    """A region is one data centre, so it is its own only zone.

    The list does not say whether a region is well: each is asked for its plans, all at once, and one that does not
    answer has unknown zones.
    """
    answer = await client.request("regions.list", "GET", "/v2/regions", query={"per_page": 500}, wants=("regions",))
    with client.reading("regions.list"):
        chosen = sorted(
            (each for each in answer["regions"] if codes is None or each["id"] in codes),
            key=lambda each: str(each["id"]),
        )
        zones = await asyncio.gather(*(_zones(client, str(each["id"])) for each in chosen))
        return [_region(each, found) for each, found in zip(chosen, zones, strict=True)]


async def _zones(client: LibcloudClient, code: str) -> tuple[str, ...] | None:
    path = f"/v2/regions/{code}/availability"
    try:
        await client.request("regions.availability", "GET", path, region=code)
    except CloudError:
        return None
    return (code,)


def _region(document: Mapping[str, Any], zones: tuple[str, ...] | None) -> Region:
    city, country = str(document["city"]), str(document["country"])
    place = GeographicLocation(str(document["continent"]), COUNTRIES.get(country, country), city)
    return Region(str(document["id"]), f"{city}, {country}", zones, place)

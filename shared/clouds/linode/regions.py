"""Which regions has Linode, and where on earth are they?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import GeographicLocation, Region

# country as Linode writes it: continent, country
COUNTRIES: Mapping[str, tuple[str, str]] = {
    "au": ("Oceania", "Australia"),
    "br": ("South America", "Brazil"),
    "ca": ("North America", "Canada"),
    "de": ("Europe", "Germany"),
    "es": ("Europe", "Spain"),
    "fr": ("Europe", "France"),
    "gb": ("Europe", "United Kingdom"),
    "id": ("Asia", "Indonesia"),
    "in": ("Asia", "India"),
    "it": ("Europe", "Italy"),
    "jp": ("Asia", "Japan"),
    "nl": ("Europe", "Netherlands"),
    "se": ("Europe", "Sweden"),
    "sg": ("Asia", "Singapore"),
    "us": ("North America", "United States"),
}


async def regions_of(client: LibcloudClient, codes: Collection[str] | None) -> list[Region]:
    """A region is one data centre, so it is its own only zone; one with an outage has unknown zones."""
    answer = await client.request("regions.list", "GET", "/v4/regions", query={"page_size": 500})
    with client.reading("regions.list"):
        found = [_region(each) for each in answer["data"] if codes is None or each["id"] in codes]
    return sorted(found, key=lambda each: each.region_code)


def _region(document: Mapping[str, Any]) -> Region:
    code, label = str(document["id"]), str(document["label"])
    place = COUNTRIES.get(str(document["country"]).lower())
    city = label.partition(",")[0]
    zones = (code,) if document["status"] == "ok" else None
    return Region(code, label, zones, None if place is None else GeographicLocation(*place, city))

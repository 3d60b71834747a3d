"""Which regions does Azure open to a subscription, with which zones, and where on earth are they?"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from shared.clouds.azure.client import AzureClient
from shared.clouds.errors import CloudError
from shared.clouds.models import GeographicLocation, Region

# Azure's geography groups (learn.microsoft.com/azure/reliability/regions-list) and the continents they are on.
_CONTINENTS: Mapping[str, str] = {
    "Africa": "Africa",
    "Asia Pacific": "Asia",
    "Canada": "North America",
    "Europe": "Europe",
    "Mexico": "North America",
    "Middle East": "Asia",
    "South America": "South America",
    "UK": "Europe",
    "US": "North America",
}
_OCEANIA = ("Australia", "New Zealand")
_NO_COUNTRIES = ("Asia Pacific", "Europe")
"""Geographies of several countries: there Azure names the country as the physical location."""


async def regions_of(client: AzureClient, codes: Collection[str] | None) -> list[Region]:
    """The physical regions. Each is asked whether it answers, all at once: Azure's list of regions would not say."""
    found = [
        each
        async for page in client.pages("subscriptions", "subscriptions.list_locations", client.subscription_id)
        for each in page
        if (each.get("metadata") or {}).get("regionType") == "Physical" and (codes is None or each["name"] in codes)
    ]
    ordered = sorted(found, key=lambda each: str(each["name"]))
    answers = await asyncio.gather(*(_answers(client, each["name"]) for each in ordered))
    return [_region(each, open_) for each, open_ in zip(ordered, answers, strict=True)]


async def _answers(client: AzureClient, region: str) -> bool:
    """One lost region must not hide the others. Usage is the shortest list that a region itself answers."""
    try:
        async for _ in client.pages("compute", "usage.list", region, region=region):
            break
    except CloudError:
        return False
    return True


def _region(location: Mapping[str, Any], answers: bool) -> Region:  # noqa: FBT001 - a fact, not a switch
    zones = sorted(each["logicalZone"] for each in location.get("availabilityZoneMappings") or [])
    metadata = location["metadata"]
    return Region(location["name"], location["displayName"], tuple(zones) if answers else None, place_of(metadata))


def place_of(metadata: Mapping[str, Any]) -> GeographicLocation | None:
    """None for a geography group that we do not know."""
    geography, physical = metadata.get("geography") or "", metadata.get("physicalLocation") or None
    continent = "Oceania" if geography in _OCEANIA else _CONTINENTS.get(metadata.get("geographyGroup") or "")
    if continent is None or not geography:
        return None
    if geography in _NO_COUNTRIES and physical:
        return GeographicLocation(continent, physical)
    return GeographicLocation(continent, geography, physical)

"""Which regions has Google Cloud, with which zones, and where on earth are they?

Places: cloud.google.com/compute/docs/regions-zones.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from shared.clouds.errors import CloudError
from shared.clouds.gcp.addresses import last_part
from shared.clouds.gcp.client import GcpClient
from shared.clouds.models import GeographicLocation, Region

_KEPT_S = 300.0

# region code: continent, country, city or state
PLACES: Mapping[str, tuple[str, str, str]] = {
    "africa-south1": ("Africa", "South Africa", "Johannesburg"),
    "asia-east1": ("Asia", "Taiwan", "Changhua County"),
    "asia-east2": ("Asia", "China", "Hong Kong"),
    "asia-northeast1": ("Asia", "Japan", "Tokyo"),
    "asia-northeast2": ("Asia", "Japan", "Osaka"),
    "asia-northeast3": ("Asia", "South Korea", "Seoul"),
    "asia-south1": ("Asia", "India", "Mumbai"),
    "asia-south2": ("Asia", "India", "Delhi"),
    "asia-southeast1": ("Asia", "Singapore", "Singapore"),
    "asia-southeast2": ("Asia", "Indonesia", "Jakarta"),
    "australia-southeast1": ("Oceania", "Australia", "Sydney"),
    "australia-southeast2": ("Oceania", "Australia", "Melbourne"),
    "europe-central2": ("Europe", "Poland", "Warsaw"),
    "europe-north1": ("Europe", "Finland", "Hamina"),
    "europe-north2": ("Europe", "Sweden", "Stockholm"),
    "europe-southwest1": ("Europe", "Spain", "Madrid"),
    "europe-west1": ("Europe", "Belgium", "St. Ghislain"),
    "europe-west10": ("Europe", "Germany", "Berlin"),
    "europe-west12": ("Europe", "Italy", "Turin"),
    "europe-west2": ("Europe", "United Kingdom", "London"),
    "europe-west3": ("Europe", "Germany", "Frankfurt"),
    "europe-west4": ("Europe", "Netherlands", "Eemshaven"),
    "europe-west6": ("Europe", "Switzerland", "Zurich"),
    "europe-west8": ("Europe", "Italy", "Milan"),
    "europe-west9": ("Europe", "France", "Paris"),
    "me-central1": ("Asia", "Qatar", "Doha"),
    "me-central2": ("Asia", "Saudi Arabia", "Dammam"),
    "me-west1": ("Asia", "Israel", "Tel Aviv"),
    "northamerica-northeast1": ("North America", "Canada", "Montreal"),
    "northamerica-northeast2": ("North America", "Canada", "Toronto"),
    "northamerica-south1": ("North America", "Mexico", "Queretaro"),
    "southamerica-east1": ("South America", "Brazil", "São Paulo"),
    "southamerica-west1": ("South America", "Chile", "Santiago"),
    "us-central1": ("North America", "United States", "Iowa"),
    "us-east1": ("North America", "United States", "South Carolina"),
    "us-east4": ("North America", "United States", "Northern Virginia"),
    "us-east5": ("North America", "United States", "Columbus"),
    "us-south1": ("North America", "United States", "Dallas"),
    "us-west1": ("North America", "United States", "Oregon"),
    "us-west2": ("North America", "United States", "Los Angeles"),
    "us-west3": ("North America", "United States", "Salt Lake City"),
    "us-west4": ("North America", "United States", "Las Vegas"),
}


class GcpPlaces:
    """The regions and zones of one account; a region's zones are kept for five minutes."""

    def __init__(self, client: GcpClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic_s = monotonic_s
        self._zones: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def regions(self, codes: Collection[str] | None) -> list[Region]:
        """The list is global and answers also while a region is lost, so each region is asked for its own zones."""
        pages = self._client.listed("regions.list", "global", "regions")
        names = sorted([each["name"] async for page in pages for each in page])
        chosen = [each for each in names if codes is None or each in codes]
        zones = await asyncio.gather(*(self._zones_or_none(each) for each in chosen))
        return [_region(code, found) for code, found in zip(chosen, zones, strict=True)]

    async def zones(self, region: str) -> tuple[str, ...]:
        """The zones of a region in order; `NotFound` for a region that is none."""
        kept = self._zones.get(region)
        now_s = self._monotonic_s()
        if kept is not None and now_s - kept[0] < _KEPT_S:
            return kept[1]
        found = await self.zones_now(region)
        self._zones[region] = (now_s, found)
        return found

    async def zones_now(self, region: str) -> tuple[str, ...]:
        """As `zones`, asked of the region itself: a lost one is an error, whatever was known of it."""
        answer = await self._client.read("regions.get", region, "regions", region)
        return tuple(sorted(last_part(each) for each in answer.get("zones", [])))

    async def _zones_or_none(self, region: str) -> tuple[str, ...] | None:
        """None, unknown, when the region does not answer: one lost region must not hide the others."""
        try:
            return await self.zones_now(region)
        except CloudError:
            return None


def zone_of(token: str, zones: Sequence[str]) -> str:
    """The zone for a token: the same as long as it exists, whichever zones come or go (highest random weight)."""
    return max(zones, key=lambda zone: hashlib.sha256(f"{zone}/{token}".encode()).digest())


def _region(code: str, zones: tuple[str, ...] | None) -> Region:
    place = PLACES.get(code)
    if place is None:
        return Region(code, code, zones, None)
    return Region(code, f"{place[2]} ({code})", zones, GeographicLocation(*place))

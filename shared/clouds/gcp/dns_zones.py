"""How are managed zones of Cloud DNS made, read, changed and removed, with their records?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.gcp import dns_records, label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none
from shared.clouds.gcp.assets import GcpAssets, Json, not_found

_CREATE = "managedZones.create"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PAGE_MAX = 100
_DESCRIPTION = "Managed by Canopy"
"""Google wants one; the tags are labels."""


class GcpDnsZones(GcpAssets):
    """A zone is named by its token, its domain is a field: Google lets a project have several zones of one domain, each
    with name servers of its own.
    """

    resource_type, resource_subtype = "dns", "cloud_dns_zone"
    is_global = True

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """The zone, then its records; a repeat adds those that are missing."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        name, networks = gcp_tags.name_of(spec.token), spec.configuration["network_ids"]
        body: dict[str, Any] = {
            "name": name,
            "dnsName": f"{spec.configuration['zone_name']}.",
            "description": _DESCRIPTION,
            "labels": label_tags.to_labels(tags, operation=_CREATE),
            "visibility": "private" if networks else "public",
        }
        if networks:
            body["privateVisibilityConfig"] = {"networks": [{"networkUrl": _url(each)} for each in networks]}
        else:
            body["dnssecConfig"] = {"state": "on"}
        try:
            await self._zones(_CREATE, "POST", "", body=body)
        except Conflict:
            await self.made(region, name, spec.token, _CREATE)
        await self._put_records(name, body["dnsName"], spec.configuration["records"], and_no_others=False)
        return await self.look(region, name)

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.look(region, asset_id)

    async def look(self, region: str, name: str) -> Asset:  # noqa: ARG002 - a zone has no region
        zone = await self._zones("managedZones.get", "GET", _path(name))
        return _asset(zone, await self._record_sets(name))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """One call more for each zone's records."""
        path, size = f"/projects/{self._client.project}/managedZones", min(_PAGE_MAX, max(1, page_size))
        async for page in self._client.rest_pages("dns", "managedZones.list", path, region, maxResults=size):
            zones = page.get("managedZones", [])
            found = await asyncio.gather(*(self._record_sets_if_any(each["name"]) for each in zones))
            yield [_asset(zone, sets) for zone, sets in zip(zones, found, strict=True) if sets is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:  # noqa: ARG002
        zone = await self._zones("managedZones.get", "GET", _path(asset_id))
        await self._put_records(asset_id, zone["dnsName"], configuration["records"], and_no_others=True)

    async def delete(self, region: str, asset_id: str) -> None:  # noqa: ARG002
        """Google keeps a zone while it has records: all go first, also those that have no words here."""
        try:
            zone = await self._zones("managedZones.get", "GET", _path(asset_id))
            sets = [each for each in await self._record_sets(asset_id) if not dns_records.is_own(each, zone["dnsName"])]
            for start in range(0, len(sets), dns_records.SETS_A_CHANGE_MAX):
                gone = sets[start : start + dns_records.SETS_A_CHANGE_MAX]
                await self._change(asset_id, {"additions": [], "deletions": gone})
            await self._zones("managedZones.delete", "DELETE", _path(asset_id))
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG002
        gcp_tags.check(tags, operation="managedZones.patch")
        zone = await self._zones("managedZones.get", "GET", _path(asset_id))
        labels = label_tags.changed(zone.get("labels"), tags, operation="managedZones.patch")
        await self._zones("managedZones.patch", "PATCH", _path(asset_id), body={"labels": labels})

    async def _put_records(self, name: str, dns_name: str, wanted: list[Json], *, and_no_others: bool) -> None:
        there = await self._record_sets(name)
        for each in dns_records.changes(there, wanted, dns_name, and_no_others=and_no_others):
            try:
                await self._change(name, each)
            except (Conflict, NotFound):  # somebody did the same at the same time, or something else
                left = await self._record_sets(name)
                if any(dns_records.changes(left, wanted, dns_name, and_no_others=and_no_others)):
                    raise

    async def _change(self, name: str, change: Mapping[str, Any]) -> None:
        """Google calls it pending until all of its servers have it, and shows it at once."""
        await self._zones("changes.create", "POST", f"{_path(name)}/changes", body=change)

    async def _record_sets(self, name: str) -> list[Json]:
        path = f"/projects/{self._client.project}/managedZones{_path(name)}/rrsets"
        pages = self._client.rest_pages("dns", "resourceRecordSets.list", path)
        return [each async for page in pages for each in page.get("rrsets", [])]

    async def _record_sets_if_any(self, name: str) -> list[Json] | None:
        try:
            return await self._record_sets(name)
        except NotFound:  # the zone went since it was listed
            return None

    async def _zones(self, operation: str, http_method: str, path: str, body: Json | None = None) -> dict[str, Any]:
        whole = f"/projects/{self._client.project}/managedZones{path}"
        return await self._client.rest("dns", operation, http_method, whole, body=body)


def _path(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise not_found(name[:100], GLOBAL_REGION, "managedZones.get")
    return f"/{name}"


def _url(network_id: str) -> str:
    return f"https://www.googleapis.com/compute/v1/{network_id}"


def _asset(zone: Json, record_sets: list[Json]) -> Asset:
    dns_name = zone["dnsName"]
    plain = [dns_records.from_google(each, dns_name) for each in record_sets if dns_records.is_plain(each, dns_name)]
    seen_from = (zone.get("privateVisibilityConfig") or {}).get("networks", [])
    networks = sorted(from_project(each["networkUrl"]) for each in seen_from)
    others = [each for each in record_sets if not dns_records.is_plain(each, dns_name)]
    return Asset(
        id=zone["name"],
        name=dns_name.removesuffix("."),
        state=AssetState.AVAILABLE,  # Google makes a zone at once and has no state of it
        region=GLOBAL_REGION,
        tags=label_tags.from_labels(zone.get("labels")),
        configuration={
            "zone_name": dns_name.removesuffix("."),
            "network_ids": networks,
            "records": sorted(plain, key=lambda each: (each["name"], each["type"])),
        },
        facts={
            "dnssec": (zone.get("dnssecConfig") or {}).get("state", "off"),
            "name_servers": sorted(each.removesuffix(".") for each in zone.get("nameServers", [])),
            "other_records": sorted(
                f"{each['name']} {each['type']}" for each in others if not dns_records.is_own(each, dns_name)
            ),
        },
        links=(
            *dns_records.links(record_sets),
            *(AssetLink("network", f"network:{each}", hard=True) for each in networks),
        ),
        created_at=in_utc_or_none(zone.get("creationTime", "")),
    )

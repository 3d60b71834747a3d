"""How are public DNS zones made, read, changed and removed, with their records?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.addresses import AzureAddresses, Owners
from shared.clouds.azure.assets import AzureAssets
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.dns_records import body_of, key_of, records_of
from shared.clouds.azure.ground import AzureGround
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.models import TOKEN_TAG

_CREATE = "zones.create_or_update"
_NOBODY = "*"


class AzureDnsZones(AzureAssets):
    """A zone's name is the client's, so its token is found by the list of our zones. Names of tags are spelled as Azure
    DNS takes them (tags.py).
    """

    resource_type, resource_subtype, kind = "dns", "dns_zone", names.DNS_ZONE
    is_global = True

    def __init__(self, client: AzureClient, ground: AzureGround, addresses: AzureAddresses) -> None:
        super().__init__(client, ground)
        self._addresses = addresses

    def to_azure(self, tags: Mapping[str, str], *, operation: str) -> dict[str, str]:
        return azure_tags.to_dns(tags, operation=operation)

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """The zone, then its records. Azure would let one name have a zone in each resource group; ours has one."""
        azure_tags.check_token(spec.token, operation=_CREATE)
        tags = azure_tags.to_dns({**spec.tags, TOKEN_TAG: spec.token}, operation=_CREATE)
        place = names.Place(names.group_of(region), spec.configuration["zone_name"])
        zone = await self._zone_if_any(place)
        if zone is None:
            await self._ground.group(region)
            try:
                await self._client.call(
                    "dns", _CREATE, place.group, place.name, {"location": GLOBAL_REGION, "tags": tags},
                    if_none_match=_NOBODY,
                )  # fmt: skip
            except Conflict:  # another create, maybe of this token
                zone = await self._zone_if_any(place)
        if zone is not None:
            self.taken(place.name, azure_tags.from_dns(zone.get("tags")), spec.token)
        await self._put_records(place, spec.configuration["records"], and_no_others=False)
        return await self.look(region, place)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        try:
            zones = await self.all_of("dns", "zones.list_by_resource_group", names.group_of(region), region=region)
        except NotFound:  # there is no such group
            return None
        for each in zones:
            if azure_tags.from_dns(each.get("tags")).get(TOKEN_TAG) == token:
                return await self._whole(each)
        return None

    async def look(self, region: str, place: names.Place) -> Asset:
        zone = await self._client.call("dns", "zones.get", place.group, place.name, region=region)
        return await self._whole(zone)

    async def listed(self, region: str) -> AsyncIterator[list[Asset]]:
        """One call more for each zone's records; a subscription has 250 zones, unless raised."""
        async for page in self._client.pages("dns", "zones.list", region=region):
            found = await asyncio.gather(*(self._records_if_any(each) for each in page))
            there = [(zone, records) for zone, records in zip(page, found, strict=True) if records is not None]
            owners = await self._addresses.owners([each for _, records in there for each in records])
            yield [_asset(zone, records, owners) for zone, records in there]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        await self.get(region, asset_id)
        await self._put_records(self.place_of(asset_id), configuration["records"], and_no_others=True)

    async def delete(self, region: str, asset_id: str) -> None:
        """With all its records."""
        try:
            await self.get(region, asset_id)
            place = self.place_of(asset_id)
            await self._client.call("dns", "zones.begin_delete", place.group, place.name, region=region)
        except NotFound:
            return

    async def _put_records(self, place: names.Place, wanted: list[Mapping[str, Any]], *, and_no_others: bool) -> None:
        """Azure changes one record set at a time: those that go are first, as one may be in a new CNAME's way."""
        record_sets = await self._record_sets(place)
        known = {key_of(each): each for each in records_of(record_sets)}
        metadata = {
            (each["name"], str(each["type"]).rpartition("/")[2]): each["properties"].get("metadata") or {}
            for each in record_sets
        }
        for name, kind in sorted(known.keys() - {key_of(each) for each in wanted}) if and_no_others else ():
            await self._client.call("dns", "record_sets.delete", place.group, place.name, name, kind)
        for each in wanted:
            if known.get(key_of(each)) != each:
                body = body_of(each, metadata.get(key_of(each), {}))
                await self._client.call(
                    "dns", "record_sets.create_or_update", place.group, place.name, *key_of(each), body
                )

    async def _record_sets(self, place: names.Place) -> list[dict[str, Any]]:
        return await self.all_of("dns", "record_sets.list_by_dns_zone", place.group, place.name, region=GLOBAL_REGION)

    async def _records_if_any(self, zone: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        try:
            return records_of(await self._record_sets(self.place_of(zone["id"])))
        except NotFound:  # the zone went since it was listed
            return None

    async def _whole(self, zone: Mapping[str, Any]) -> Asset:
        records = records_of(await self._record_sets(self.place_of(zone["id"])))
        return _asset(zone, records, await self._addresses.owners(records))

    async def _zone_if_any(self, place: names.Place) -> dict[str, Any] | None:
        try:
            zone: dict[str, Any] = await self._client.call("dns", "zones.get", place.group, place.name)
        except NotFound:
            return None
        return zone


def _asset(zone: Mapping[str, Any], records: list[dict[str, Any]], owners: Owners) -> Asset:
    return Asset(
        id=names.canonical(zone["id"]),
        name=zone["name"],
        state=AssetState.AVAILABLE,  # Azure makes a zone at once and has no state of it
        region=GLOBAL_REGION,
        tags=azure_tags.from_dns(zone.get("tags")),
        configuration={"zone_name": zone["name"], "records": records},
        facts={"name_servers": sorted(zone["properties"].get("nameServers") or [])},
        links=owners.links(records),
    )

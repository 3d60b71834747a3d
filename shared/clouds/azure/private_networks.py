"""How are virtual networks made, read, changed and removed?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import AzureAssets, state_of
from shared.clouds.errors import NotFound, StillWorking

_CREATE = "virtual_networks.create_or_update"
_ENDPOINTS = ("Microsoft.Sql", "Microsoft.Storage")
"""Services that a subnet reaches without leaving Azure's network; a database or an account may let only it in."""


class AzurePrivateNetworks(AzureAssets):
    """A PUT of a network describes all of it: a change puts what is there with only the named parts changed."""

    resource_type, resource_subtype, kind = "network", "virtual_network", names.NETWORK

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        tags = azure_tags.marked(spec.tags, spec.token, operation=_CREATE)
        place = names.Place(names.group_of(region), self.name_for(spec.token))
        known = await self.known(region, place, spec.token)
        if known is not None:
            return known
        await self._ground.group(region)
        body = {"location": region, "tags": tags, "properties": _changed({}, spec.configuration)}
        with suppress(StillWorking):  # another create of this token
            return _asset(await self._put(region, place, body))
        return await self.look(region, place)

    async def look(self, region: str, place: names.Place) -> Asset:
        return _asset(await self._raw(region, place))

    async def listed(self, region: str) -> AsyncIterator[list[Asset]]:
        await self.all_of("network", "usages.list", region, region=region)
        async for page in self._client.pages("network", "virtual_networks.list_all"):
            yield [_asset(each) for each in page if each["location"] == region]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        place = self.place_of(asset_id)
        known = await self._raw(region, place)
        await self.of_region(region, asset_id, _asset(known))
        properties = _changed(known["properties"], configuration)
        body = {"location": region, "tags": known.get("tags") or {}, "properties": properties}
        await self._put(region, place, body)

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            await self.get(region, asset_id)
            place = self.place_of(asset_id)
            await self._client.call("network", "virtual_networks.begin_delete", place.group, place.name, region=region)
        except NotFound:
            return
        self._ground.forget(region)

    async def _raw(self, region: str, place: names.Place) -> dict[str, Any]:
        network: dict[str, Any] = await self._client.call(
            "network", "virtual_networks.get", place.group, place.name, region=region
        )
        return network

    async def _put(self, region: str, place: names.Place, body: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await self._client.call(
            "network", "virtual_networks.begin_create_or_update", place.group, place.name, dict(body), region=region
        )
        return answer


def _changed(now: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with what the configuration says; a subnet that stays keeps its routes, walls and delegations."""
    known = {each["name"].lower(): each.get("properties") or {} for each in now.get("subnets") or []}
    return {
        **now,
        "addressSpace": {"addressPrefixes": list(configuration["address_prefixes"])},
        "dhcpOptions": {"dnsServers": list(configuration["dns_servers"])},
        "subnets": [_subnet(each, known.get(each["name"].lower())) for each in configuration["subnets"]],
    }


def _subnet(wanted: Mapping[str, Any], known: Mapping[str, Any] | None) -> dict[str, Any]:
    if known is None:
        endpoints = [{"service": each} for each in _ENDPOINTS]
        return {
            "name": wanted["name"],
            "properties": {"addressPrefix": wanted["address_prefix"], "serviceEndpoints": endpoints},
        }
    kept = {name: value for name, value in known.items() if name != "addressPrefixes"}
    return {"name": wanted["name"], "properties": {**kept, "addressPrefix": wanted["address_prefix"]}}


def _asset(network: Mapping[str, Any]) -> Asset:
    properties = network["properties"]
    subnets = [
        {"name": each["name"], "address_prefix": _range(each.get("properties") or {})}
        for each in properties.get("subnets") or []
    ]
    return Asset(
        id=names.canonical(network["id"]),
        name=network["name"],
        state=state_of(properties, AssetState.AVAILABLE),
        region=network["location"],
        tags=azure_tags.from_azure(network.get("tags")),
        configuration={
            "address_prefixes": list((properties.get("addressSpace") or {}).get("addressPrefixes") or []),
            "subnets": sorted(subnets, key=lambda each: str(each["name"])),
            "dns_servers": list((properties.get("dhcpOptions") or {}).get("dnsServers") or []),
        },
        facts={"peerings": sorted(each["name"] for each in properties.get("virtualNetworkPeerings") or [])},
    )


def _range(subnet: Mapping[str, Any]) -> str | None:
    """Azure tells one range of a subnet as `addressPrefix`, or in a list."""
    ranges = subnet.get("addressPrefixes") or []
    found = subnet.get("addressPrefix") or (ranges[0] if ranges else None)
    return None if found is None else str(found)

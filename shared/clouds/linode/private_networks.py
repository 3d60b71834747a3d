"""How are VPCs made, read, changed and removed, with their subnets; and which Linodes are in them?

Sources: techdocs.akamai.com/linode-api/reference, "Create a VPC", "List VPC IP addresses", "Get a Linode's IP
addresses". A Linode's own description does not say in which VPC it is: its addresses do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.errors import NotFound, PermissionDenied
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.linode.assets import LinodeAssets, created_at
from shared.clouds.linode.lists import PAGE_MAX, Document, pages_of

_MARK = "canopy tags:"


class LinodePrivateNetworks(LinodeAssets):
    """VPCs have no tags: ours stand in the description, behind a mark, so that somebody's own text stays."""

    resource_type, resource_subtype = "network", "vpc"
    path, noun = "/v4/vpcs", "vpcs"

    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:
        subnets = [_subnet(each) for each in spec.configuration["subnets"]]
        return {
            "label": self.label(spec.token),
            "region": region,
            "description": _described("", words),
            "subnets": subnets,
        }

    async def whole(self, document: Document) -> Asset:
        with self._client.reading("vpcs.get"):
            subnets = sorted(document["subnets"], key=lambda each: str(each["label"]))
            return Asset(
                id=str(document["id"]),
                name=str(document["label"]),
                state=AssetState.AVAILABLE,
                region=str(document["region"]),
                tags=self.tags(document),
                configuration={
                    "subnets": [{"name": str(each["label"]), "ip_range": str(each["ipv4"])} for each in subnets]
                },
                facts={"subnet_ids": {str(each["label"]): str(each["id"]) for each in subnets}},
                created_at=created_at(document),
            )

    def words(self, document: Document) -> list[str]:
        return str(document.get("description") or "").partition(_MARK)[2].split()

    def tagging(self, document: Document, words: list[str]) -> dict[str, Any]:
        text = str(document.get("description") or "").partition(_MARK)[0]
        return {"description": _described(text, words)}

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """What goes, goes first: its range may be in the way of what comes."""
        document = await self.document(region, asset_id, "subnets.create")
        wanted = {each["name"]: each for each in configuration["subnets"]}
        path = f"{self.path}/{asset_id}/subnets"
        with self._client.reading("vpcs.get"):
            there = {str(each["label"]): each for each in document["subnets"]}
        for name, each in there.items():
            if name not in wanted or wanted[name]["ip_range"] != each["ipv4"]:
                try:
                    await self._client.request("subnets.delete", "DELETE", f"{path}/{each['id']}", region=region)
                except NotFound:
                    continue
        for name, each in wanted.items():
            if name not in there or each["ip_range"] != there[name]["ipv4"]:
                await self._client.request("subnets.create", "POST", path, region=region, document=_subnet(each))


def _subnet(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": wanted["name"], "ipv4": wanted["ip_range"]}


def _described(text: str, words: list[str]) -> str:
    return " ".join([*text.split(), _MARK, *words])


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which VPC a Linode is; `address` is None where it has a range of them only."""

    network_id: str
    subnet_id: str
    address: str | None


async def place_of(client: LibcloudClient, region: str, machine_id: str) -> Place | None:
    """None for one that is in no VPC, and when the token may not know."""
    operation, path = "instances.ips", f"/v4/linode/instances/{machine_id}/ips"
    try:
        answer = await client.request(operation, "GET", path, region=region)
    except PermissionDenied:
        return None
    with client.reading(operation):
        return _places(answer["ipv4"].get("vpc") or []).get(machine_id)


async def places(client: LibcloudClient, region: str) -> Mapping[str, Place]:
    """Of every Linode of the account that is in a VPC, whatever its region; empty when the token may not know."""
    operation = "vpc_addresses.list"
    found: dict[str, Place] = {}
    try:
        async for page in pages_of(client, operation, "/v4/vpcs/ips", region=region, page_size=PAGE_MAX, key=_key):
            with client.reading(operation):
                found |= _places([*page])
    except PermissionDenied:
        return {}
    return found


def _key(address: Document) -> str:
    """These have no id: an address may be in several VPCs, and a Linode have several in one."""
    return "/".join(str(address.get(name)) for name in ("interface_id", "address", "address_range", "vpc_id"))


def _places(addresses: Iterable[Document]) -> dict[str, Place]:
    """An interface that is in use before one that waits, an address before a range."""
    ordered = sorted(addresses, key=lambda each: (bool(each.get("active")), each.get("address") is not None))
    return {
        str(each["linode_id"]): Place(str(each["vpc_id"]), str(each["subnet_id"]), each.get("address"))
        for each in ordered
        if each.get("linode_id") is not None
    }

"""How are VPC networks made, read, changed and removed, with their subnets?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec, AssetState
from shared.clouds.errors import Conflict, IncorrectState, NotFound, StillWorking
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none, last_part
from shared.clouds.gcp.assets import GcpAssets, Json, not_found
from shared.clouds.gcp.errors import PROVIDER

_CREATE = "networks.insert"
_ID = re.compile(r"projects/([a-z0-9.:-]{1,100})/global/networks/([a-z]([-a-z0-9]{0,61}[a-z0-9])?)")
_PAGE_MAX = 500
_AUTO_RANGE = "10.128.0.0/9"  # cloud.google.com/vpc/docs/subnets: all subnets of auto mode are in it
_NOWHERE = "192.0.2.0/24"  # RFC 5737: nobody's. Without any range a rule would let in the whole Internet
_LOWEST_PRIORITY = 65534


class GcpPrivateNetworks(GcpAssets):
    """A network has no labels, and its description never changes. So beside each stands a firewall rule of ours: it
    lets the network's machines reach each other (or, switched off, does nothing), and its description, which may be
    changed, holds the tags. Until that rule is there the network's own description tells whose it is.
    """

    resource_type, resource_subtype = "network", "vpc_network"
    is_global = True

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """The network, its subnets, its rule; a repeat adds what is missing."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        text = gcp_tags.to_description(tags, operation=_CREATE)
        name, wanted = gcp_tags.name_of(spec.token), spec.configuration
        body = {
            "name": name,
            "description": text,
            "autoCreateSubnetworks": wanted["subnet_mode"] == "auto",
            "routingConfig": {"routingMode": wanted["routing_mode"]},
        }
        await self._insert(_CREATE, "global/networks", body)
        made = await self.made(region, name, spec.token, _CREATE)
        try:
            await self._put_subnets(name, made.configuration["subnets"], wanted["subnets"])
            if await self._rule(name) is None:
                await self._insert("firewalls.insert", "global/firewalls", self._rule_body(name, wanted, text))
        except IncorrectState as error:  # another create of this token is at it
            raise StillWorking(error.code, error.message, provider=PROVIDER, operation=_CREATE) from None
        return await self.look(region, name)

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.look(region, self._name(asset_id))

    async def look(self, region: str, name: str) -> Asset:
        network = await self.compute("networks.get", "GET", f"global/networks/{name}", region)
        return _asset(network, await self._subnets_of(network), await self._rule(name))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """A call more for each subnet of custom mode: a list of all regions' subnets hides the lost in a warning."""
        path, size = f"/projects/{self._client.project}/global", min(_PAGE_MAX, max(1, page_size))
        rules: dict[str, Json] | None = None
        async for page in self._client.rest_pages(
            "compute", "networks.list", f"{path}/networks", region, maxResults=size
        ):
            if rules is None:
                rules = {each["name"]: each for each in await self._firewalls()}
            networks = page.get("items", [])
            subnets = await asyncio.gather(*(self._subnets_of(each) for each in networks))
            yield [
                _asset(each, parts, rules.get(_rule_name(each["name"])))
                for each, parts in zip(networks, subnets, strict=True)
            ]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        name, now = self._name(asset_id), await self.get(region, asset_id)
        if now.configuration["routing_mode"] != configuration["routing_mode"]:
            body = {"routingConfig": {"routingMode": configuration["routing_mode"]}}
            await self.compute_done("networks.patch", "PATCH", f"global/networks/{name}", region, body=body)
        await self._put_subnets(name, now.configuration["subnets"], configuration["subnets"])
        for each in now.configuration["subnets"]:
            if _key(each) not in {_key(other) for other in configuration["subnets"]}:
                await self._remove("subnetworks.delete", f"regions/{each['region']}/subnetworks/{each['name']}")
        await self._put_rule(name, configuration, gcp_tags.to_description(now.tags, operation="networks.patch"))

    async def delete(self, region: str, asset_id: str) -> None:
        """With its subnets and our rule. Others' rules and whatever stands in it keep it."""
        try:
            name, known = self._name(asset_id), await self.get(region, asset_id)
        except NotFound:
            return
        for each in await self._firewalls():
            if last_part(each["network"]) == name and each["name"] != _rule_name(name):
                raise Conflict(
                    "resourceInUseByAnotherResource", f"{each['name']} is a rule of {name}", provider=PROVIDER,
                    operation="networks.delete",
                )  # fmt: skip
        for each in known.configuration["subnets"]:
            await self._remove("subnetworks.delete", f"regions/{each['region']}/subnetworks/{each['name']}")
        rule = await self._rule(name)
        await self._remove("firewalls.delete", f"global/firewalls/{_rule_name(name)}")
        try:
            await self._remove("networks.delete", f"global/networks/{name}")
        except Conflict:
            if rule is not None:
                kept = {each: rule[each] for each in ("description", "disabled", "sourceRanges") if each in rule}
                body = self._rule_body(name, {**known.configuration, "internal_traffic": False}, "") | kept
                await self._insert("firewalls.insert", "global/firewalls", body)
            raise

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        gcp_tags.check(tags, operation="firewalls.patch")
        name, known = self._name(asset_id), await self.get(region, asset_id)
        text = gcp_tags.to_description({**known.tags, **tags}, operation="firewalls.patch")
        if await self._rule(name) is None:
            body = self._rule_body(name, {**known.configuration, "internal_traffic": False}, text)
            await self._insert("firewalls.insert", "global/firewalls", body)
        path = f"global/firewalls/{_rule_name(name)}"
        await self.compute_done("firewalls.patch", "PATCH", path, GLOBAL_REGION, body={"description": text})

    def _name(self, asset_id: str) -> str:
        """Only networks of our own project are ours to change."""
        found = _ID.fullmatch(asset_id)
        if found is None or found[1] != self._client.project:
            raise not_found(asset_id[:200], GLOBAL_REGION, "networks.get")
        return found[2]

    async def _put_subnets(self, network: str, now: list[Json], wanted: list[Json]) -> None:
        """Those that are missing are made, those with another range grow to it."""
        known = {_key(each): each for each in now}
        for each in wanted:
            path, there = f"regions/{each['region']}/subnetworks", known.get(_key(each))
            if there is None:
                body = {
                    "name": each["name"],
                    "network": self._url(network),
                    "ipCidrRange": each["ip_range"],
                    "privateIpGoogleAccess": True,
                }
                await self._insert("subnetworks.insert", path, body)
                made = await self.compute("subnetworks.get", "GET", f"{path}/{each['name']}", each["region"])
                if last_part(made["network"]) != network:
                    raise Conflict(
                        "alreadyExists", f"Another network has a subnet {each['name']} in {each['region']}",
                        provider=PROVIDER, operation="subnetworks.insert",
                    )  # fmt: skip
            elif there["ip_range"] != each["ip_range"]:
                await self.compute_done(
                    "subnetworks.expandIpCidrRange", "POST", f"{path}/{each['name']}/expandIpCidrRange",
                    each["region"], body={"ipCidrRange": each["ip_range"]},
                )  # fmt: skip

    async def _put_rule(self, network: str, configuration: Json, text: str) -> None:
        body = self._rule_body(network, configuration, text)
        if await self._rule(network) is None:
            await self._insert("firewalls.insert", "global/firewalls", body)
            return
        changes = {each: body[each] for each in ("disabled", "sourceRanges")}
        path = f"global/firewalls/{body['name']}"
        await self.compute_done("firewalls.patch", "PATCH", path, GLOBAL_REGION, body=changes)

    def _rule_body(self, network: str, configuration: Json, text: str) -> dict[str, Any]:
        own = [each["ip_range"] for each in configuration["subnets"]] or [_NOWHERE]
        return {
            "name": _rule_name(network),
            "description": text,
            "network": self._url(network),
            "direction": "INGRESS",
            "priority": _LOWEST_PRIORITY,
            "allowed": [{"IPProtocol": "all"}],
            "sourceRanges": [_AUTO_RANGE] if configuration["subnet_mode"] == "auto" else own,
            "disabled": not configuration["internal_traffic"],
        }

    def _url(self, network: str) -> str:
        return f"projects/{self._client.project}/global/networks/{network}"

    async def _insert(self, operation: str, path: str, body: Json) -> None:
        """What has that name already stays as it is."""
        region = path.split("/")[1] if path.startswith("regions/") else GLOBAL_REGION
        with suppress(Conflict):
            await self.compute_done(operation, "POST", path, region, body=body)

    async def _remove(self, operation: str, path: str) -> None:
        region = path.split("/")[1] if path.startswith("regions/") else GLOBAL_REGION
        with suppress(NotFound):
            await self.compute_done(operation, "DELETE", path, region)

    async def _rule(self, network: str) -> Json | None:
        try:
            return await self.compute("firewalls.get", "GET", f"global/firewalls/{_rule_name(network)}", GLOBAL_REGION)
        except NotFound:
            return None

    async def _firewalls(self) -> list[Json]:
        path = f"/projects/{self._client.project}/global/firewalls"
        pages = self._client.rest_pages("compute", "firewalls.list", path)
        return [each async for page in pages for each in page.get("items", [])]

    async def _subnets_of(self, network: Json) -> list[Json]:
        """Google's own of auto mode, 40 of them, are not asked for."""
        if network.get("autoCreateSubnetworks"):
            return []
        found = await asyncio.gather(*(self._subnet(each) for each in network.get("subnetworks", [])))
        return sorted((each for each in found if each is not None), key=_key)

    async def _subnet(self, url: str) -> Json | None:
        region, name = url.split("/")[-3], last_part(url)
        try:
            subnet = await self.compute("subnetworks.get", "GET", f"regions/{region}/subnetworks/{name}", region)
        except NotFound:  # it went since its network was read
            return None
        return {"name": name, "region": region, "ip_range": subnet["ipCidrRange"]}


def _key(subnet: Json) -> tuple[str, str]:
    return str(subnet["region"]), str(subnet["name"])


def _rule_name(network: str) -> str:
    return gcp_tags.name_of(network, "network")


def _asset(network: Json, subnets: list[Json], rule: Json | None) -> Asset:
    """What lets the machines of somebody else's network reach each other we do not know."""
    configuration = {
        "subnet_mode": "auto" if network.get("autoCreateSubnetworks") else "custom",
        "subnets": list(subnets),
        "routing_mode": (network.get("routingConfig") or {}).get("routingMode", "REGIONAL"),
    }
    if rule is not None:
        configuration["internal_traffic"] = not rule.get("disabled", False)
    text = (rule or network).get("description", "")
    return Asset(
        id=from_project(network["selfLink"]),
        name=network["name"],
        state=AssetState.AVAILABLE,
        region=GLOBAL_REGION,
        tags=gcp_tags.from_description(text, {}),
        configuration=configuration,
        facts={
            "mtu": network.get("mtu"),
            "subnet_ids": sorted(from_project(each) for each in network.get("subnetworks", [])),
            "peerings": sorted(each["name"] for each in network.get("peerings", [])),
        },
        created_at=in_utc_or_none(network.get("creationTimestamp", "")),
    )

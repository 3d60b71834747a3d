"""How is an instance walled in: a network of its own without a gateway, and no public address?

Vultr's firewall groups rule only what comes in over the public interface. So a walled instance has none (`vpc_only`),
and sits in a VPC that is made for it, has no other members and no NAT gateway: there is no way in or out. Machines of
one wall reach each other. Sources: www.vultr.com/api, "Create Instance", "VPCs", "NAT Gateways"; vpc_only: Vultr's
Terraform provider, pull request 741, and its Go client.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from shared.clouds.capabilities import Networks
from shared.clouds.errors import NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import SecurityGroup
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.labels import is_named, label_of, tags_of
from shared.clouds.vultr.lists import Document, pages_of

WALL_PREFIX = "vpc:"
"""A wall's id is this and its network's: other groups are firewall groups."""

_PATH = "/v2/vpcs"
_NO_ADDRESS = ("", "0.0.0.0")  # noqa: S104 - Vultr's word for "none"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class VultrNetworks(Networks):
    """Nothing of a VPC is unique: a create first looks for the description made of region and token."""

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """The description is where the tags are."""
        del description
        operation, name = "vpcs.create", _name(region, token)
        label = label_of(name, tags, token, operation=operation)
        async with self._client.one_create_of(name):
            network = await self._named(region, name)
            if network is None:
                body = {"region": region, "description": label}
                answer = await self._client.request(
                    operation, "POST", _PATH, region=region, document=body, wants=("vpc",)
                )  # fmt: skip
                network = answer["vpc"]
        group = await self._read(network, region)
        if group.ingress_rules or group.egress_rules:
            detail = f"{group.id} has a gateway"
            raise StillWorking("gateway_remains", detail, provider=PROVIDER, operation=operation)
        return group

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        network = await self._named(region, _name(region, token))
        return None if network is None else await self._read(network, region)

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        """An instance with a public address is in no wall, whichever networks it is in."""
        if not _ID.fullmatch(machine_id):
            raise not_found(f"instance {machine_id} in {region}", provider=PROVIDER, operation="instances.vpcs")
        path = f"/v2/instances/{machine_id}"
        machine, networks = await asyncio.gather(
            self._client.request("instances.get", "GET", path, region=region, wants=("instance",)),
            self._client.request("instances.vpcs", "GET", f"{path}/vpcs", region=region, wants=("vpcs",)),
        )
        with self._client.reading("instances.get"):
            document = machine["instance"]
            groups = [str(document["firewall_group_id"])] if document.get("firewall_group_id") else []
            if document["main_ip"] in _NO_ADDRESS and document["v6_main_ip"] in _NO_ADDRESS:
                groups += [f"{WALL_PREFIX}{each['id']}" for each in networks["vpcs"]]
        return tuple(sorted(groups))

    async def delete_group(self, region: str, group_id: str) -> None:
        """Vultr refuses (`Conflict`) while an instance is in it."""
        identifier = group_id.removeprefix(WALL_PREFIX)
        if not _ID.fullmatch(identifier):
            return
        try:
            await self._client.request("vpcs.delete", "DELETE", f"{_PATH}/{identifier}", region=region)
        except NotFound:
            return

    async def _named(self, region: str, name: str) -> Document | None:
        found = [
            each
            async for page in pages_of(self._client, "vpcs", _PATH, region=region)
            for each in page
            if is_named(each.get("description"), name) and each.get("region") == region
        ]
        return min(found, key=lambda each: (str(each.get("date_created")), str(each.get("id"))), default=None)

    async def _read(self, document: Document, region: str) -> SecurityGroup:
        """A gateway lets out, and may let in."""
        with self._client.reading("vpcs.get"):
            identifier, label = str(document["id"]), document["description"]
        gateways = await self._gateways(region, identifier)
        return SecurityGroup(
            id=f"{WALL_PREFIX}{identifier}",
            name=str(label).partition(" ")[0],
            region=region,
            network_id=identifier,
            ingress_rules=gateways,
            egress_rules=gateways,
            tags=tags_of(label),
        )

    async def _gateways(self, region: str, identifier: str) -> int:
        path = f"{_PATH}/{identifier}/nat-gateway"
        try:
            answer = await self._client.request(
                "vpcs.gateways", "GET", path, region=region, wants=("nat_gateways",)
            )  # fmt: skip
        except NotFound:
            return 0
        return len(answer["nat_gateways"])


def _name(region: str, token: str) -> str:
    return name_of(f"{region}/{token}")

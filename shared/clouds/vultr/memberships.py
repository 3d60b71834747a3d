"""Which VPC is an instance in? Vultr's instances do not say, they only have an address in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from shared.clouds.errors import NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.vultr.lists import Document, pages_of
from shared.clouds.vultr.private_networks import range_of

Ranges = Sequence[tuple[ipaddress.IPv4Network, str]]
"""The ranges of a region's VPCs, and their ids."""


class Memberships:
    """An instance in several VPCs counts to the one that its internal address is of."""

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def ranges(self, region: str) -> Ranges:
        pages = pages_of(self._client, "vpcs", "/v2/vpcs", region=region)
        found = [each async for page in pages for each in page if each.get("region") == region]
        with self._client.reading("vpcs.list"):
            return [(ipaddress.IPv4Network(range_of(each), strict=False), str(each["id"])) for each in found]

    async def of(self, instance: Document, region: str, ranges: Ranges = ()) -> str | None:
        """None for an instance without an internal address. One call more when not just one of `ranges` has it."""
        text = instance.get("internal_ip")
        if not text:
            return None
        with self._client.reading("instances.get"):
            address = ipaddress.IPv4Address(text)
        holders = [identifier for each, identifier in ranges if address in each]
        return holders[0] if len(holders) == 1 else await self._asked(str(instance.get("id")), region, str(address))

    async def _asked(self, instance_id: str, region: str, address: str) -> str | None:
        operation, path = "instances.vpcs", f"/v2/instances/{instance_id}/vpcs"
        try:
            answer = await self._client.request(operation, "GET", path, region=region, wants=("vpcs",))
        except NotFound:  # the instance went since it was read
            return None
        with self._client.reading(operation):
            return next((str(each["id"]) for each in answer["vpcs"] if each["ip_address"] == address), None)

"""How much may an account have at Linode, and how much of it has it?

Only object storage tells: buckets, objects and bytes of each of its endpoints ("List Object Storage quotas",
techdocs.akamai.com/linode-api/reference/get-object-storage-quotas). How many Linodes, volumes and NodeBalancers an
account may have its support decides, and no call says.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.linode.lists import PAGE_MAX, Document, pages_of
from shared.clouds.quotas import Quota, Quotas

_PATH = "/v4/object-storage"
_SERVICE = "object-storage"
_COUNTED = frozenset({"bucket", "object"})


class LinodeQuotas(Quotas):
    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def read(self, region: str, now: datetime) -> list[Quota]:  # noqa: ARG002 - counted as it is asked
        """Nothing for what belongs to no region. Two lists, and a call for each of the region's limits."""
        if region == GLOBAL_REGION:
            return []
        endpoints = await self._list(region, "endpoints", "s3_endpoint")
        mine = {each["s3_endpoint"] for each in endpoints if each["region"] == region}
        limits = [each for each in await self._list(region, "quotas", "quota_id") if each["s3_endpoint"] in mine]
        found = await asyncio.gather(*(self._quota(region, each) for each in limits))
        return sorted(found, key=lambda each: (each.service, each.name, each.code))

    async def _list(self, region: str, what: str, key: str) -> list[Document]:
        pages = pages_of(
            self._client, f"{what}.list", f"{_PATH}/{what}", region=region, page_size=PAGE_MAX,
            key=lambda each: f"{each.get('region')}/{each.get('endpoint_type')}/{each[key]}",
        )  # fmt: skip
        return [each async for page in pages for each in page]

    async def _quota(self, region: str, limit: Document) -> Quota:
        operation = "quotas.usage"
        path = f"{_PATH}/quotas/{limit['quota_id']}/usage"
        usage = await self._client.request(operation, "GET", path, region=region, wants=("usage",))
        with self._client.reading(operation):
            metric = str(limit["resource_metric"])
            return Quota(
                code=str(limit["quota_id"]),
                name=str(limit["quota_name"]),
                service=_SERVICE,
                region=region,
                limit=float(limit["quota_limit"]),
                used=None if usage["usage"] is None else float(usage["usage"]),
                unit=None if metric in _COUNTED else metric,
            )

"""How much may a subscription have in a region, and how much of it has it? Each resource provider counts for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.azure.client import AzureClient
from shared.clouds.quotas import Quota, Quotas

_LISTS: Mapping[str, str] = {
    "compute": "usage.list",
    "network": "usages.list",
    "sql": "subscription_usages.list_by_location",
    "storage": "usages.list_by_location",
}
_UNLIMITED = 2**31 - 1
"""What Azure writes where it holds nobody to anything, or more than this, or less than nothing."""
_COUNT = "count"


class AzureQuotas(Quotas):
    """Azure counts at once, and tells no limit of what belongs to no region."""

    def __init__(self, client: AzureClient) -> None:
        self._client = client

    async def read(self, region: str, now: datetime) -> list[Quota]:  # noqa: ARG002 - counted as it is asked
        if region == GLOBAL_REGION:
            return []
        answers = await asyncio.gather(*(self._of(service, region) for service in _LISTS))
        found = [each for answer in answers for each in answer]
        return sorted(found, key=lambda each: (each.service, each.name, each.code))

    async def _of(self, service: str, region: str) -> list[Quota]:
        pages = self._client.pages(service, _LISTS[service], region, region=region)
        return [_quota(service, region, each) async for page in pages for each in page]


def _quota(service: str, region: str, row: Mapping[str, Any]) -> Quota:
    """SQL tells the same in other words."""
    facts: Mapping[str, Any] = row.get("properties") or row
    name = row["name"] if isinstance(row["name"], Mapping) else {"value": row["name"]}
    limit, used, unit = facts.get("limit"), facts.get("currentValue"), str(facts.get("unit") or _COUNT)
    return Quota(
        code=str(name["value"]),
        name=str(facts.get("displayName") or name.get("localizedValue") or name["value"]),
        service=service,
        region=region,
        limit=None if limit is None or not 0 <= limit < _UNLIMITED else float(limit),
        used=None if used is None else float(used),
        unit=None if unit.lower() == _COUNT else unit,
    )

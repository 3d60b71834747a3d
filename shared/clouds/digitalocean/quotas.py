"""How much may a team have, and how much of it has it?

Source: docs.digitalocean.com/reference/api, "Account"; `volume_limit`: github.com/digitalocean/godo, account.go.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.quotas import Quota, Quotas

# field of the account: what it limits, and the list whose length is what is used
_LIMITS = (
    ("droplet_limit", "Droplets", "droplets"),
    ("reserved_ip_limit", "Reserved IP addresses", None),
    ("volume_limit", "Volumes", "volumes"),
)


class DigitalOceanQuotas(Quotas):
    """All limits are of all regions together. A limit that the token may not read is left out; those of load balancers,
    VPCs and databases DigitalOcean does not tell.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def read(self, region: str, now: datetime) -> list[Quota]:  # noqa: ARG002 - counted as it is asked
        if region != GLOBAL_REGION:
            return []
        answer = await self._client.request("account.get", "GET", "/v2/account", wants=("account",))
        with self._client.reading("account.get"):
            told = [each for each in _LIMITS if answer["account"].get(each[0]) is not None]
        used = await asyncio.gather(*(self._count(listed) for _, _, listed in told))
        with self._client.reading("account.get"):
            return [
                Quota(code, name, "account", region, float(answer["account"][code]), count)
                for (code, name, _), count in zip(told, used, strict=True)
            ]

    async def _count(self, listed: str | None) -> float | None:
        if listed is None:
            return None
        operation, query = f"{listed}.list", {"per_page": 1}
        answer = await self._client.request(operation, "GET", f"/v2/{listed}", query=query, wants=("meta",))
        with self._client.reading(operation):
            return float(answer["meta"]["total"])

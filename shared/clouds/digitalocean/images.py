"""What does a droplet boot from when nobody says: the newest Ubuntu with long-term support?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.errors import NotFound
from shared.clouds.libcloud.client import LibcloudClient

_LONG_TERM = re.compile(r"ubuntu-([0-9][02468])-04-x64")
_KEPT_S = 3600.0


class DefaultImages:
    """Kept for an hour by region: the list is long, and a new release comes every two years."""

    def __init__(self, client: LibcloudClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic_s = monotonic_s
        self._newest: dict[str, tuple[float, str]] = {}

    async def newest(self, region: str) -> str:
        """Its slug; `NotFound` when the region has none."""
        kept = self._newest.get(region)
        now_s = self._monotonic_s()
        if kept is not None and now_s - kept[0] < _KEPT_S:
            return kept[1]
        query = {"type": "distribution", "per_page": 200}
        answer = await self._client.request(
            "images.list", "GET", "/v2/images", region=region, query=query, wants=("images",)
        )
        slugs = [
            str(each["slug"])
            for each in answer["images"]
            if region in each["regions"] and _LONG_TERM.fullmatch(str(each["slug"]))
        ]
        if not slugs:
            raise NotFound("not_found", f"No Ubuntu image in {region}", provider=PROVIDER, operation="images.list")
        self._newest[region] = (now_s, max(slugs))
        return max(slugs)

"""What does a machine boot from when nobody says: the newest Ubuntu with long-term support?"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping

from shared.clouds.libcloud.refusals import not_found

_KEPT_S = 3600.0

ReadImages = Callable[[str], Awaitable[Mapping[str, str]]]
"""Asks the provider for the images of a region: their ids by the names that tell their age."""


class DefaultImages:
    """Kept for an hour by region: the list is long, and a new release comes every two years.

    `names` fits the names of long-term releases, of which the last in the order of names is the newest.
    """

    def __init__(
        self, provider: str, read: ReadImages, names: str, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = provider
        self._read = read
        self._names = re.compile(names)
        self._monotonic_s = monotonic_s
        self._newest: dict[str, tuple[float, str]] = {}

    async def newest(self, region: str) -> str:
        """Its id; `NotFound` when the region has none."""
        kept = self._newest.get(region)
        now_s = self._monotonic_s()
        if kept is not None and now_s - kept[0] < _KEPT_S:
            return kept[1]
        images = await self._read(region)
        fitting = [name for name in images if self._names.fullmatch(name)]
        if not fitting:
            raise not_found(f"Ubuntu image in {region}", provider=self._provider, operation="images.list")
        self._newest[region] = (now_s, images[max(fitting)])
        return self._newest[region][1]

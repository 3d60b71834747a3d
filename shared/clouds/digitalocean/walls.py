"""By which tag is a droplet created inside of a wall?

A firewall of DigitalOcean names the tags whose droplets it stands around. A wall has a tag of its own, that nothing
else has: a droplet that is created with it is inside from the beginning. The tag is no tag of ours: it is left out of a
machine's tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.clouds.libcloud.tokens import name_of

_TAG = re.compile(r"canopy-wall-[0-9a-f]{24}")


def wall_name(region: str, token: str) -> str:
    """The name of a wall and of its tag."""
    return name_of(f"{region}/{token}").replace("canopy-", "canopy-wall-")


def wall_tag(tags: Iterable[str]) -> str | None:
    """The wall's tag among those of a firewall, None when it is no wall."""
    return next((each for each in tags if _TAG.fullmatch(each)), None)


def without_walls(tags: Iterable[str]) -> list[str]:
    return [each for each in tags if not _TAG.fullmatch(each)]

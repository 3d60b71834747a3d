"""Which tags have Vultr's instances?"""

from __future__ import annotations

from shared.clouds.libcloud.tags import WordTags
from shared.clouds.vultr.errors import PROVIDER

TAGS = WordTags(PROVIDER, shortest=1, longest=50)
"""Vultr states no limit; short words are safe."""

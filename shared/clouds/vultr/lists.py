"""How does Vultr answer a list: pages by a cursor that things which come and go do not move?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.errors import ProviderFault
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.vultr.errors import PROVIDER

PAGE_MAX = 500

Document = Mapping[str, Any]


async def pages_of(
    client: LibcloudClient, name: str, path: str, *, region: str = "global", page_size: int = PAGE_MAX,
    query: Mapping[str, object] | None = None,
) -> AsyncIterator[list[Document]]:  # fmt: skip
    """All of a list, whose things the answer has under `name` (`blocks`); at most 500 a page."""
    cursor, operation = "", f"{name}.list"
    while True:
        asked = {
            **(query or {}),
            "per_page": min(PAGE_MAX, max(1, page_size)),
            **({"cursor": cursor} if cursor else {}),
        }
        answer = await client.request(operation, "GET", path, region=region, query=asked)
        with client.reading(operation):
            found, following = list(answer[name]), str(answer["meta"]["links"]["next"] or "")
        yield found
        if not following:
            return
        if following == cursor:
            raise ProviderFault("repeated_page", "The same page came twice", provider=PROVIDER, operation=operation)
        cursor = following

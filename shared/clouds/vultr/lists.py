"""How does Vultr answer a list: pages by a cursor that things which come and go do not move?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.errors import ProviderFault
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.vultr.errors import PROVIDER

PAGE_MAX = 500
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The form of the ids of nearly all things."""

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


async def whole_list_of(client: LibcloudClient, name: str, path: str, *, region: str = "global") -> list[Document]:
    """A list that Vultr answers at once."""
    operation = f"{name}.list"
    answer = await client.request(operation, "GET", path, region=region, wants=(name,))
    with client.reading(operation):
        return list(answer[name])


async def ask_region(client: LibcloudClient, region: str) -> None:
    """Raises what a lost region answers: lists have those of all regions together, and would just lack its things."""
    await client.request("regions.availability", "GET", f"/v2/regions/{region}/availability", region=region)


def moment_of(text: str) -> datetime:
    """`2020-10-10T01:56:20+00:00`, or `2022-05-09 10:13:31` of databases and the CDN, which is UTC too."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

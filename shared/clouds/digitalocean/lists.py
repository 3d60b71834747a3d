"""How does DigitalOcean answer a list: numbered pages of at most 200?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.paging import NumberedPage, numbered_pages

PAGE_MAX = 200

Document = Mapping[str, Any]


async def pages_of(
    client: LibcloudClient, name: str, path: str, *, region: str = "global", page_size: int = PAGE_MAX,
    query: Mapping[str, object] | None = None, key: str = "id",
) -> AsyncIterator[list[Document]]:  # fmt: skip
    """All of a list, whose things the answer has under `name` (`volumes`) and tells apart by `key`.

    A list that does not count its things (`databases`) has no pages either.
    """
    size, operation = min(PAGE_MAX, max(1, page_size)), f"{name}.list"

    async def read(number: int) -> NumberedPage:
        asked = {**(query or {}), "page": number, "per_page": size}
        answer = await client.request(operation, "GET", path, region=region, query=asked)
        with client.reading(operation):
            more = "next" in (answer.get("links") or {}).get("pages", {})
            things: list[Document] = [{**each, "id": each[key]} for each in answer[name]]
            return NumberedPage(things, int(answer["meta"]["total"]) if "meta" in answer else len(things), more)

    async for page in numbered_pages(read, provider=PROVIDER, operation=operation):
        yield page

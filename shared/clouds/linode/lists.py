"""How does Linode answer a list: numbered pages, with its own filter in a header?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.paging import NumberedPage, id_of, numbered_pages
from shared.clouds.linode.errors import PROVIDER

PAGE_MIN, PAGE_MAX = 25, 500

Document = Mapping[str, Any]


async def page_of(
    client: LibcloudClient, operation: str, path: str, *, region: str, number: int = 1, size: int = PAGE_MIN,
    filters: Mapping[str, object] | None = None,
) -> NumberedPage:  # fmt: skip
    """One page of what fits `filters`."""
    headers = {"X-Filter": json.dumps(filters)} if filters else {}
    query = {"page": number, "page_size": size}
    answer = await client.request(operation, "GET", path, region=region, query=query, headers=headers)
    with client.reading(operation):
        return NumberedPage(answer["data"], int(answer["results"]), int(answer["page"]) < int(answer["pages"]))


async def pages_of(
    client: LibcloudClient, operation: str, path: str, *, region: str, page_size: int,
    filters: Mapping[str, object] | None = None, key: Callable[[Document], str] = id_of,
) -> AsyncIterator[list[Document]]:  # fmt: skip
    """All that fits, told apart by `key`. Linode pages by 25 to 500; smaller pages are cut from its own."""
    asked = min(PAGE_MAX, max(PAGE_MIN, page_size))
    size = min(asked, max(1, page_size))

    async def read(number: int) -> NumberedPage:
        return await page_of(client, operation, path, region=region, number=number, size=asked, filters=filters)

    async for page in numbered_pages(read, provider=PROVIDER, operation=operation, key=key):
        for first in range(0, max(1, len(page)), size):
            yield page[first : first + size]

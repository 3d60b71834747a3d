"""How is a list of AWS read that pages by another word than NextToken? Each service has its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.errors import NotFound, ProviderFault

Following = Callable[[dict[str, Any]], str | None]
"""Where a page names the next one."""

_Thing = TypeVar("_Thing")


async def pages_by(
    client: AwsClient,
    service: str,
    region: str,
    operation: str,
    asked_by: str,
    following: Following,
    **parameters: Any,
) -> AsyncIterator[dict[str, Any]]:
    """The answers of a paged read, page by page; the same one twice is a `ProviderFault`, no loop."""
    marker: str | None = None
    while True:
        more = {} if marker is None else {asked_by: marker}
        page = await client.call(service, region, operation, **parameters, **more)
        yield page
        told = following(page) or None
        if told is None:
            return
        if told == marker:
            raise ProviderFault("repeated_page", "The same page came twice", provider=PROVIDER, operation=operation)
        marker = told


async def still_there(reads: Iterable[Awaitable[_Thing]]) -> list[_Thing]:
    """The results of reads at once, without those of things that went between their list and their read."""
    read = await asyncio.gather(*(_or_none(each) for each in reads))
    return [each for each in read if each is not None]


async def _or_none(read: Awaitable[_Thing]) -> _Thing | None:
    try:
        return await read
    except NotFound:
        return None

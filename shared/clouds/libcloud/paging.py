"""How is a list read to its end whose pages are numbered, while things come and go?

A page is "from the 201st thing on": one that disappears from an earlier page moves the others up, and the one between
two pages is in neither. A reader that did not notice would call a living machine gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.errors import ProviderFault

_PASSES_MAX = 4


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """One page: its things, how many there are in all, and whether more pages follow."""

    things: list[Mapping[str, Any]]
    total: int
    more: bool


def id_of(thing: Mapping[str, Any]) -> str:
    return str(thing["id"])


async def numbered_pages(
    read: Callable[[int], Awaitable[NumberedPage]], *, provider: str, operation: str,
    key: Callable[[Mapping[str, Any]], str] = id_of,
) -> AsyncIterator[list[Mapping[str, Any]]]:  # fmt: skip
    """Every thing once, page by page; `read` answers a page by its number, from 1 on. `key` tells things apart.

    When the list changed its length meanwhile it is read again, and only what is new is yielded; `ProviderFault` when
    it never stood still: then nothing may be concluded about what did not appear.
    """
    seen: set[str] = set()
    for _ in range(_PASSES_MAX):
        number, totals, more, in_this_pass = 0, set[int](), True, 0
        while more:
            number += 1
            page = await read(number)
            totals.add(page.total)
            in_this_pass += len(page.things)
            more = page.more and bool(page.things)
            new = [each for each in page.things if key(each) not in seen]
            seen.update(key(each) for each in new)
            if new or number == 1:
                yield new
        if totals == {in_this_pass}:
            return
    raise ProviderFault(
        "list_changed", "The list changed each time it was read", provider=provider, operation=operation
    )

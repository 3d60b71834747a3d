"""A list of numbered pages is complete, or it is an error: things that come and go move the others between pages."""

import pytest

from shared.clouds.errors import ProviderFault
from shared.clouds.libcloud.paging import NumberedPage, numbered_pages

pytestmark = pytest.mark.anyio

SIZE = 3


def pages_of(things: list[int], after_read=lambda number: None):
    async def read(number: int) -> NumberedPage:
        found = things[(number - 1) * SIZE : number * SIZE]
        page = NumberedPage([{"id": each} for each in found], len(things), number * SIZE < len(things))
        after_read(number)
        return page

    return numbered_pages(read, provider="digitalocean", operation="droplets.list")


async def listed(pages) -> list[list[int]]:
    return [[each["id"] for each in page] async for page in pages]


def flat(pages: list[list[int]]) -> list[int]:
    return [each for page in pages for each in page]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9])
async def test_a_still_list_is_read_once(count):
    found = await listed(pages_of(list(range(count))))
    assert flat(found) == list(range(count))
    assert len(found) == max(1, -(-count // SIZE))


async def test_what_moved_to_a_page_already_read_is_read_again():
    things, removed = list(range(9)), []

    def remove_first_once(number: int) -> None:
        if number == 1 and not removed:
            removed.append(things.pop(0))

    found = flat(await listed(pages_of(things, remove_first_once)))
    assert sorted(found) == list(range(9))  # 3 moved from page 2 to page 1 and was found in the second pass
    assert len(found) == len(set(found))


async def test_what_came_while_it_was_read_is_listed_once():
    things, added = list(range(6)), []

    def add_first_once(number: int) -> None:
        if number == 1 and not added:
            added.append(99)
            things.insert(0, 99)

    found = flat(await listed(pages_of(things, add_first_once)))
    assert sorted(found) == [*range(6), 99]


async def test_a_list_that_never_stands_still_is_an_error():
    things = list(range(90))

    def remove_first(number: int) -> None:
        if number == 1:
            things.pop(0)

    with pytest.raises(ProviderFault) as caught:
        await listed(pages_of(things, remove_first))
    assert caught.value.retryable
    assert caught.value.code == "list_changed"

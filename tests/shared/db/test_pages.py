"""Cursors: what a page gave is taken back, anything else is bad input."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid, select

from shared.db.pages import Keyset, decode_cursor, encode_cursor
from shared.kit.errors import InvalidInput
from shared.kit.ids import new_id
from shared.messages.resources import ListResources
from tests.fixtures.services import context, now

THINGS = Table(
    "things", MetaData(), Column("id", Uuid), Column("made", DateTime(timezone=True)), Column("name", Text),
    Column("size", Integer),
)  # fmt: skip
ORDER = Keyset(THINGS.c.id, {"made": THINGS.c.made, "name": THINGS.c.name, "size": THINGS.c.size}, "-made")


def request(**fields: object) -> ListResources:
    return ListResources(**context().envelope(now()), **fields)


@given(some.text(max_size=50), some.uuids())
def test_a_cursor_comes_back_as_it_was(value: str, last_id: object) -> None:
    assert decode_cursor(encode_cursor("name", value, last_id)) == ("name", value, last_id)  # type: ignore[arg-type]


@given(some.text(max_size=100))
def test_what_no_page_gave_is_bad_input(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        ORDER.select(select(THINGS), request(cursor=cursor))


@pytest.mark.parametrize("value", [None, True, [], {}, "text", 1.5, "\x00"])
def test_a_forged_value_of_another_type_is_bad_input(value: object) -> None:
    with pytest.raises(InvalidInput):
        ORDER.select(select(THINGS), request(cursor=encode_cursor("-made", value, new_id())))


def test_a_cursor_belongs_to_its_sort_order() -> None:
    cursor = encode_cursor("name", "x", new_id())
    ORDER.select(select(THINGS), request(cursor=cursor, sort="name"))
    with pytest.raises(InvalidInput, match="cursor"):
        ORDER.select(select(THINGS), request(cursor=cursor, sort="-name"))


def test_the_last_page_has_no_cursor() -> None:
    rows = [{"id": new_id(), "made": datetime(2026, 1, day, tzinfo=UTC)} for day in (3, 2, 1)]
    shown, cursor = ORDER.page(rows, request(limit=2))
    assert shown == rows[:2]
    assert cursor is not None
    assert decode_cursor(cursor)[2] == rows[1]["id"]
    assert ORDER.page(rows, request(limit=3)) == (rows, None)

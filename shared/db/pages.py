"""Where does the next page of a list begin? After the last row of this one: a keyset, opaque to the client.

A keyset is the sort column's value and the id of the last row; a page costs the same however deep it is, and rows that
come or go meanwhile shift nothing.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, collate, tuple_

from shared.kit.errors import FieldError, InvalidInput
from shared.messages.base import ListRequest

SORT = "sort"
CURSOR = "cursor"
LAST_CHARACTER = chr(0x10FFFF)
"""The highest code point: in the collation "C", which orders by them, no text that begins with a prefix is above it."""


class Keyset:
    """How one list may be sorted. Columns are never null; `default` is one of them, with `-` for descending.

    Use: `statement = ORDER.select(select(table).where(…), request)`, then `rows, cursor = ORDER.page(found, request)`
    where `found` are the rows as mappings that hold `id` and the sort columns under the names given here.
    """

    def __init__(self, id_column: ColumnElement[Any], columns: Mapping[str, ColumnElement[Any]], default: str) -> None:
        self._id = id_column
        self._columns = dict(columns)
        self._default = default

    def select(self, statement: Select[Any], request: ListRequest) -> Select[Any]:
        """The statement ordered, begun after the cursor, with one row more than the page. Raises InvalidInput."""
        return self.begun(statement, request.sort, self.after(request)).limit(request.limit + 1)

    def after(self, request: ListRequest) -> tuple[Any, UUID] | None:
        """The sort column's value and the id of the row that the page begins after. Raises InvalidInput."""
        column = self._columns[self._order(request.sort)[0]]
        return None if request.cursor is None else self._position(request, column)

    def parameters(self, sort: str | None) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Places for what `after` gives, named `after` and `after_id`, in a statement that is kept."""
        column = self._columns[self._order(sort)[0]]
        return bindparam("after", type_=column.type), bindparam("after_id", type_=self._id.type)

    def begun(self, statement: Select[Any], sort: str | None, after: tuple[Any, Any] | None) -> Select[Any]:
        """The statement ordered and begun after a row. Raises InvalidInput."""
        return self.later(statement, sort, after).order_by(*self.sequence(sort))

    def later(self, statement: Select[Any], sort: str | None, after: tuple[Any, Any] | None) -> Select[Any]:
        """The statement begun after a row, in whatever order. Raises InvalidInput."""
        if after is None:
            return statement
        name, descending = self._order(sort)
        keyset = tuple_(self._columns[name], self._id)
        return statement.where(keyset < tuple_(*after) if descending else keyset > tuple_(*after))

    def sequence(self, sort: str | None) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """What the rows are ordered by. Raises InvalidInput."""
        name, descending = self._order(sort)
        column = self._columns[name]
        return (column.desc(), self._id.desc()) if descending else (column.asc(), self._id.asc())

    def column(self, sort: str | None) -> str:
        """The name of what is sorted by. Raises InvalidInput."""
        return self._order(sort)[0]

    def page(
        self, found: Sequence[Mapping[str, Any]], request: ListRequest
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """The rows of this page and the cursor of the next, None on the last."""
        rows = list(found[: request.limit])
        return rows, None if len(found) <= request.limit else self.cursor(rows[-1], request)

    def cursor(self, last: Mapping[str, Any], request: ListRequest) -> str:
        """Of the page after this row."""
        name, _ = self._order(request.sort)
        return encode_cursor(request.sort or self._default, last[name], last["id"])

    def _order(self, asked: str | None) -> tuple[str, bool]:
        sort = asked or self._default
        name = sort.removeprefix("-")
        if name not in self._columns:
            known = ", ".join(f"{each}, -{each}" for each in self._columns)
            raise InvalidInput("the list cannot be sorted so", errors=[FieldError(f"/{SORT}", f"is one of {known}")])
        return name, sort.startswith("-")

    def _position(self, request: ListRequest, column: ColumnElement[Any]) -> tuple[Any, UUID]:
        sort, value, last_id = decode_cursor(str(request.cursor))
        if sort != (request.sort or self._default):
            raise _invalid("belongs to another sort order")
        return _typed(value, column.type.python_type), last_id


def begins_with(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """Prefix search as a range: under row level security LIKE uses no index (a column with collation "C" does)."""
    return is_between(column, prefix, prefix + LAST_CHARACTER)


def is_between(column: ColumnElement[Any], first: Any, beyond: Any) -> ColumnElement[bool]:
    """From `first` on and before `beyond`, by code points; texts, or places for them in a statement that is kept."""
    ordered = collate(column, "C")
    return and_(ordered >= first, ordered < beyond)


def encode_cursor(sort: str, value: Any, last_id: UUID) -> str:
    """An opaque cursor: the sort order it belongs to, the last row's value in it (text, number or time), and its id."""
    text = value.isoformat() if isinstance(value, datetime) else value
    document = json.dumps([sort, text, str(last_id)], separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[str, Any, UUID]:
    """The parts of `encode_cursor`, the value as JSON has it. Raises InvalidInput for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        sort, value, last_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return str(sort), value, UUID(last_id)
    except (binascii.Error, ValueError, TypeError, AttributeError):
        raise _invalid("is none that a page gave") from None


def _typed(value: Any, kind: type) -> Any:
    """The value as the column's type, so that a forged cursor is bad input and not a database error."""
    try:
        if kind is datetime:
            return datetime.fromisoformat(_text(value))
        if kind is Decimal:
            return Decimal(str(value))
        if kind is UUID:
            return UUID(_text(value))
        if kind is str:
            return _text(value)
        if kind in {int, float} and isinstance(value, int | float) and not isinstance(value, bool):
            return kind(value)
    except (ValueError, ArithmeticError, OverflowError):
        pass
    raise _invalid("is none that a page gave")


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("not a text")
    return value


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput("the cursor is not valid", errors=[FieldError(f"/{CURSOR}", detail)])

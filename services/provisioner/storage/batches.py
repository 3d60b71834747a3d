"""How do a thousand rows reach a table in one statement? As one JSON document that PostgreSQL takes apart.

One parameter and one plan however many rows; a row of values for each would be parsed anew for every page.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql

from shared.db.work import Work


async def insert_all(work: Work, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns; those that are there already stay as they are."""
    if values:
        await work.execute(_insert(table, tuple(values[0])), {"rows": _document(values)})


async def update_all(work: Work, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Update rows of the work's organization by their `id`; all name the same columns."""
    if values:
        parameters = {"rows": _document(values), "organization": work.organization}
        await work.execute(_update(table, tuple(values[0])), parameters)


def _document(values: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([dict(row) for row in values], default=str)


@cache
def _insert(table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(names)
    return text(
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} "
        f"FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given ({_typed(table, names)}) ON CONFLICT DO NOTHING"
    )


@cache
def _update(table: Table, names: tuple[str, ...]) -> TextClause:
    changed = ", ".join(f"{name} = given.{name}" for name in names if name != "id")
    return text(
        f"UPDATE {table.name} SET {changed} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        f"AS given ({_typed(table, names)}) "
        f"WHERE {table.name}.id = given.id AND {table.name}.organization_id = :organization"
    )


def _typed(table: Table, names: Sequence[str]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return ", ".join(f"{name} {table.c[name].type.compile(dialect).partition(' COLLATE')[0]}" for name in names)

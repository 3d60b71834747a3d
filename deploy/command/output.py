"""How does the command show things? A table for people, `--json` for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

PIPED_COLUMNS = 1000
"""What is read by grep or another program must not be folded at the 80 columns of a terminal that is not there."""

_out = Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS)
_err = Console(stderr=True)


def show(value: Any, *, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Print one thing, or the `items` of a list with these columns."""
    if as_json:
        print(json.dumps(value, indent=2, ensure_ascii=False))
    elif isinstance(value, dict) and "items" in value:
        _out.print(_table(value["items"], columns))
        if value.get("next_cursor"):
            _out.print(f"more: --cursor {value['next_cursor']}", style="dim")
    else:
        _out.print(_card(value))


def say(line: str) -> None:
    _out.print(line)


def complain(line: str) -> None:
    _err.print(line, style="red", markup=False, highlight=False)


def console() -> Console:
    return _out


def _table(items: Sequence[dict[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for item in items:
        table.add_row(*(_text(item.get(column)) for column in columns))
    return table


def _card(thing: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in thing.items():
        table.add_row(name, _text(value))
    return table


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)

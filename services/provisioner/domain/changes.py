"""What does a desired configuration change, and how: at once, with a stop, or only by a new thing?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.models import CHANGE, NEEDS_STOP
from shared.kit.errors import FieldError, InvalidInput

CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is to become another; `field` is a JSON pointer into the body."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between what is and what is desired."""

    in_place: tuple[Change, ...]
    needs_stop: tuple[Change, ...]
    replace: tuple[Change, ...]


def base_of(schema: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """What of a stored configuration its schema knows: a thing that was found and not made may hold other facts."""
    known = schema.get("properties", {})
    return {name: value for name, value in configuration.items() if name in known}


def compare(
    schema: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    fields: Mapping[str, tuple[Any, Any]],
) -> Changes:
    """Compare two checked configurations, and `fields` (before, after) of the resource itself, which change at once.

    How a field of the configuration changes stands in its schema (`x-change`); without it, only a new thing has it.
    """
    ways = schema.get("properties", {})
    changed = {name: value for name, value in after.items() if before.get(name) != value}

    def of(*, stop: bool) -> tuple[Change, ...]:
        return tuple(
            Change(f"/{CONFIGURATION}/{name}", before.get(name), value)
            for name, value in changed.items()
            if (ways.get(name, {}).get(CHANGE) == NEEDS_STOP) is stop
        )

    in_place = tuple(Change(f"/{name}", old, new) for name, (old, new) in fields.items() if old != new)
    return Changes(in_place=in_place, needs_stop=of(stop=True), replace=of(stop=False))


def check_no_replacement(changes: Changes) -> None:
    """Raise InvalidInput `needs_replacement` naming each field that an existing thing cannot change."""
    problems = [
        FieldError(each.field, "cannot be changed: only a new resource can have it") for each in changes.replace
    ]
    if problems:
        raise InvalidInput("the resource would have to be replaced", code="needs_replacement", errors=problems)

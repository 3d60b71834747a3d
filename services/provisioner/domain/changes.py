"""What does a desired configuration change, and how: at once, with a stop, or only by a new thing?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.models import CHANGE, IN_PLACE, NEEDS_STOP
from shared.kit.errors import FieldError, InvalidInput

CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is to become another; `field` is a JSON pointer into the body."""

    field: str
    before: Any
    after: Any

    @property
    def is_of_configuration(self) -> bool:
        return self.field.startswith(f"/{CONFIGURATION}/")

    @property
    def name(self) -> str:
        return self.field.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between what is and what is desired."""

    in_place: tuple[Change, ...]
    needs_stop: tuple[Change, ...]
    replace: tuple[Change, ...]

    @property
    def own(self) -> tuple[Change, ...]:
        """Those of the resource itself, at once."""
        return tuple(each for each in self.in_place if not each.is_of_configuration)

    @property
    def configured(self) -> tuple[Change, ...]:
        """Those of the configuration that the thing serves on through."""
        return tuple(each for each in self.in_place if each.is_of_configuration)


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

    def of(way: str | None) -> tuple[Change, ...]:
        return tuple(
            Change(f"/{CONFIGURATION}/{name}", before.get(name), value)
            for name, value in changed.items()
            if ways.get(name, {}).get(CHANGE) == way
        )

    own = tuple(Change(f"/{name}", old, new) for name, (old, new) in fields.items() if old != new)
    return Changes(in_place=own + of(IN_PLACE), needs_stop=of(NEEDS_STOP), replace=of(None))


def check_no_replacement(changes: Changes) -> None:
    """Raise InvalidInput `needs_replacement` naming each field that an existing thing cannot change."""
    problems = [
        FieldError(each.field, "cannot be changed: only a new resource can have it") for each in changes.replace
    ]
    if problems:
        raise InvalidInput("the resource would have to be replaced", code="needs_replacement", errors=problems)

"""A resource and its copies: how are new ones called, which go first, and what do more or fewer of them change?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count as numbers
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.provisioner.domain.scaling import FIELD, Types, hourly_cost, item_of
from shared.kit.errors import Conflict

SCALE_OUT, SCALE_IN = "scale_out", "scale_in"
NAME_CHARACTERS_MAX = 200


class Member(Protocol):
    """What is to be known of one thing of a group."""

    @property
    def id(self) -> UUID: ...
    @property
    def resource_name(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def configuration(self) -> dict[str, Any]: ...
    @property
    def cost_tracking(self) -> dict[str, Any]: ...


M = TypeVar("M", bound=Member)


def next_names(name: str, taken: Collection[str], count: int) -> list[str]:
    """Names of `count` copies: the original's with the lowest numbers that no living copy has, from 1 on."""
    free = (each for each in _numbered(name) if each not in taken)
    return [next(free) for _ in range(count)]


def _numbered(name: str) -> Iterator[str]:
    for number in numbers(1):
        suffix = f"-{number}"
        yield name[: NAME_CHARACTERS_MAX - len(suffix)] + suffix


def leaving(members: Sequence[M], original: UUID, count: int, *, force: bool) -> list[M]:
    """The `count` members that go: the newest copies first, the original last and by force only. Raises Conflict."""
    copies = [each for each in members if each.id != original]
    newest_first = sorted(copies, key=lambda each: (each.created_at, each.id), reverse=True)
    if force:
        newest_first += [each for each in members if each.id == original]
    if count > len(newest_first):
        reason = f"the group has {len(members)} members, of which {len(newest_first)} may go"
        hint = "" if force else ": the original needs force"
        raise Conflict(reason + hint, code="too_few_members")
    return newest_first[:count]


def hourly_cost_of(member: Member) -> float | None:
    """What an hour of it costs by costs' last word; None where that word does not include its size."""
    return hourly_cost(member.cost_tracking, item_of(member.configuration))


def total(costs: Sequence[float | None]) -> float | None:
    """The sum; None as soon as one of them is not known."""
    known = [each for each in costs if each is not None]
    return round(sum(known), 9) if len(known) == len(costs) else None


def group_impact(types: Types, before: Sequence[Member], after: Sequence[Member]) -> dict[str, Any] | None:
    """How much all members have together before and after, from the catalogue; None when a size is not known."""
    sizes_before = [types.get(str(each.configuration.get(FIELD))) for each in before]
    sizes_after = [types.get(str(each.configuration.get(FIELD))) for each in after]
    if any(each is None for each in (*sizes_before, *sizes_after)):
        return None
    return {
        name: {
            "before": sum(getattr(each, name) for each in sizes_before),
            "after": sum(getattr(each, name) for each in sizes_after),
        }
        for name in ("vcpu", "memory_gib")
    }


def currency_of(cost_tracking: Mapping[str, Any]) -> str:
    return str(cost_tracking.get("currency"))

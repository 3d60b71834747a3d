"""Which size comes next, which change is a larger or a smaller one, and what does a change do? Facts of a catalogue."""

from collections.abc import Mapping
from typing import Any

from shared.clouds.models import MachineType, price_item
from shared.kit.errors import Conflict, FieldError, InvalidInput

SCALE_UP, SCALE_DOWN, CONFIGURATION_CHANGE = "scale_up", "scale_down", "configuration_change"
FIELD = "instance_type"

Types = Mapping[str, MachineType]
"""The known sizes by name."""


def next_type(types: Types, current: str, action: str) -> str:
    """The next larger (`scale_up`) or smaller size of the same family, architecture and kind (bare metal or not).

    Larger has at least as much of both vCPUs and memory and more of one. Raises InvalidInput when the sizes of the
    family are not known, Conflict `no_larger_size` or `no_smaller_size` at its end.
    """
    known = types.get(current)
    if known is None:
        raise _invalid(f"the size of {current} is not known: name the type that it shall have")
    kind = (known.family, known.architecture, known.bare_metal)
    alike = [each for each in types.values() if (each.family, each.architecture, each.bare_metal) == kind]
    if action == SCALE_UP:
        larger = [each for each in alike if _is_larger(each, known)]
        if larger:
            return min(larger, key=_amounts).name
        raise Conflict(f"{current} is the largest of its family", code="no_larger_size")
    smaller = [each for each in alike if _is_larger(known, each)]
    if smaller:
        return max(smaller, key=_amounts).name
    raise Conflict(f"{current} is the smallest of its family", code="no_smaller_size")


def check_type(types: Types, current: str, wanted: str, action: str) -> None:
    """Raise Conflict when there is nothing to change, InvalidInput when `wanted` is another way or does not fit.

    A machine keeps its architecture: its disk boots on no other. What is not in the catalogue is left to the provider.
    """
    if wanted == current:
        raise Conflict(f"its type is {current} already", code="nothing_to_change")
    before, after = types.get(current), types.get(wanted)
    if before is None or after is None:
        return
    if before.architecture != after.architecture:
        raise _invalid(f"{wanted} is {after.architecture}, the machine is {before.architecture}: only a new one can be")
    if action == SCALE_UP and not _is_larger(after, before):
        raise _invalid(f"{wanted} is not larger than {current}")
    if action == SCALE_DOWN and not _is_larger(before, after):
        raise _invalid(f"{wanted} is not smaller than {current}")


def direction(types: Types, current: str, wanted: str) -> str:
    """What a change of type is: larger, smaller, or neither (also when a size is not known)."""
    before, after = types.get(current), types.get(wanted)
    if before is not None and after is not None and before.family == after.family:
        if _is_larger(after, before):
            return SCALE_UP
        if _is_larger(before, after):
            return SCALE_DOWN
    return CONFIGURATION_CHANGE


def performance_impact(types: Types, current: str, wanted: str) -> dict[str, Any] | None:
    """How much there is before and after, from the catalogue; None when one of the sizes is not known."""
    before, after = types.get(current), types.get(wanted)
    if before is None or after is None:
        return None
    return {
        "vcpu": {"before": before.vcpu, "after": after.vcpu},
        "memory_gib": {"before": before.memory_gib, "after": after.memory_gib},
    }


def item_of(configuration: Mapping[str, Any]) -> str:
    """The item of the price list by which costs names a machine of this configuration."""
    return price_item(str(configuration.get(FIELD)), configuration.get("capacity_type"))


def hourly_cost(cost_tracking: Mapping[str, Any], item: str) -> float | None:
    """What an hour costs according to costs' last word, None unless that word includes exactly this item."""
    if item not in (cost_tracking.get("included") or ()):
        return None
    hourly = cost_tracking.get("hourly")
    return hourly if isinstance(hourly, int | float) else None


def cost_impact(before: float | None, after: float | None, currency: str) -> dict[str, Any] | None:
    """The change of an hour's cost; None unless both are known."""
    if before is None or after is None:
        return None
    change = round(after - before, 9)
    return {"hourly_before": before, "hourly_after": after, "hourly_change": change, "currency": currency}


def _is_larger(one: MachineType, other: MachineType) -> bool:
    at_least = one.vcpu >= other.vcpu and one.memory_gib >= other.memory_gib
    return at_least and _amounts(one) != _amounts(other)


def _amounts(each: MachineType) -> tuple[int, float]:
    return each.vcpu, each.memory_gib


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput(detail, errors=[FieldError(f"/{FIELD}", detail)])

"""Whose long work may somebody follow? What they began themselves, and what is done to things that they may read."""

import json
from typing import Any

from services.gateway.domain.subscriptions import FAMILY_PERMISSIONS
from shared.security.principals import Principal

RESULT_CHARACTERS_MAX = 4000
"""200 of them, with what is around them, fit into one message of 1 MB."""


def readable_targets(principal: Principal) -> frozenset[str]:
    """The types of targets whose operations the principal may follow, whoever began them."""
    return frozenset(family for family, permission in FAMILY_PERMISSIONS.items() if principal.may(permission))


def may_follow(principal: Principal, starter: str, target_type: str) -> bool:
    """Whether the principal may see an operation that `starter` (an actor) began on a thing of `target_type`."""
    if starter == principal.actor:
        return True
    permission = FAMILY_PERMISSIONS.get(target_type)
    return permission is not None and principal.may(permission)


def short(result: dict[str, Any] | None) -> dict[str, Any] | None:
    """A result as a list of operations tells it: a long one without its own lists and parts."""
    if result is None or len(json.dumps(result)) <= RESULT_CHARACTERS_MAX:
        return result
    return {name: value for name, value in result.items() if not isinstance(value, list | dict)}

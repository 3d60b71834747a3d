"""Whose long work may somebody follow? What they began themselves, and what is done to things that they may read."""

from services.gateway.domain.subscriptions import FAMILY_PERMISSIONS
from shared.security.principals import Principal


def readable_targets(principal: Principal) -> frozenset[str]:
    """The types of targets whose operations the principal may follow, whoever began them."""
    return frozenset(family for family, permission in FAMILY_PERMISSIONS.items() if principal.may(permission))


def may_follow(principal: Principal, starter: str, target_type: str) -> bool:
    """Whether the principal may see an operation that `starter` (an actor) began on a thing of `target_type`."""
    if starter == principal.actor:
        return True
    permission = FAMILY_PERMISSIONS.get(target_type)
    return permission is not None and principal.may(permission)

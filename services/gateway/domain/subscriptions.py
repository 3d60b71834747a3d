"""Which live frames does a socket get? Those that it asked for, of families that its principal may read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from shared.kit.errors import FieldError, InvalidInput, PermissionDenied
from shared.security.permissions import Permission
from shared.security.principals import Principal

MAXIMUM_PATTERNS = 200
ANY = "*"
_EVENT = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*|\*)")
_POINTER = "/subscribe"

FAMILY_PERMISSIONS = MappingProxyType(
    {
        "provider": Permission.PROVIDERS_READ,
        "resource": Permission.RESOURCES_READ,
        "fleet": Permission.RESOURCES_READ,
        "metrics": Permission.MONITORING_READ,
        "alert": Permission.ALERTS_READ,
        "alert_rule": Permission.ALERTS_READ,
        "channel": Permission.CHANNELS_READ,
        "notification": Permission.CHANNELS_READ,
        "budget": Permission.BUDGETS_READ,
        "plan": Permission.RECOVERY_READ,
        "backup": Permission.RECOVERY_READ,
        "drill": Permission.RECOVERY_READ,
        "operation": Permission.OPERATIONS_READ,
        "audit": Permission.AUDIT_READ,
        "user": Permission.USERS_READ,
        "api_key": Permission.API_KEYS_READ,
        "organization": Permission.ORGANIZATION_READ,
    }
)
"""The first word of an event's type, and what it takes to see it. A family that is not listed is seen by nobody."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What one socket wants: events by (family, name or `*`), and the ids of resources and operations."""

    events: frozenset[tuple[str, str]] = frozenset()
    resources: frozenset[UUID] = frozenset()
    operations: frozenset[UUID] = frozenset()

    def wants_event(self, message_type: str, aggregate_id: UUID) -> bool:
        """Whether to send an event, by its type (`resource.started.v1`) and the id of what it is about."""
        family, _, rest = message_type.partition(".")
        name = rest.partition(".")[0]
        if (family, ANY) in self.events or (family, name) in self.events:
            return True
        return family == "operation" and aggregate_id in self.operations

    def wants_metrics(self, resource: UUID) -> bool:
        """Whether to send points of this resource."""
        return resource in self.resources


def parse(patterns: Sequence[str], principal: Principal) -> Subscriptions:
    """Read `{"subscribe": [...]}`: `resource.*`, `alert.fired`, `metrics:<resource id>`, `operation:<id>`.

    Raises InvalidInput with a pointer to each pattern that is none of these, names an unknown family, or is beyond the
    200th; PermissionDenied when the principal may not read one of the families.
    """
    if len(patterns) > MAXIMUM_PATTERNS:
        detail = f"must have at most {MAXIMUM_PATTERNS} patterns"
        raise InvalidInput("too many patterns", errors=[FieldError(_POINTER, detail)])
    parsed = [_parse(pattern) for pattern in patterns]
    errors = [FieldError(f"{_POINTER}/{index}", _EXPECTED) for index, one in enumerate(parsed) if one is None]
    if errors:
        raise InvalidInput("the subscription is not valid", errors=errors)
    wanted = [one for one in parsed if one is not None]
    _ensure_readable(wanted, principal)
    return Subscriptions(
        events=frozenset((one.family, one.name) for one in wanted if one.id is None),
        resources=frozenset(one.id for one in wanted if one.id is not None and one.family == "metrics"),
        operations=frozenset(one.id for one in wanted if one.id is not None and one.family == "operation"),
    )


_EXPECTED = "must be <family>.*, <family>.<event>, metrics:<resource id> or operation:<id> of a known family"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One pattern: a family with an event's name, or with the id of a thing."""

    family: str
    name: str = ANY
    id: UUID | None = None


def _parse(pattern: str) -> _Pattern | None:
    family, colon, thing = pattern.partition(":")
    if colon:
        identifier = _uuid(thing)
        return _Pattern(family, id=identifier) if family in {"metrics", "operation"} and identifier else None
    event = _EVENT.fullmatch(pattern)
    # Metrics come by resource only: all of an organization's points would drown a browser.
    if event is None or event[1] not in FAMILY_PERMISSIONS or event[1] == "metrics":
        return None
    return _Pattern(event[1], event[2])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _ensure_readable(wanted: Sequence[_Pattern], principal: Principal) -> None:
    refused = sorted({one.family for one in wanted if not principal.may(FAMILY_PERMISSIONS[one.family])})
    if refused:
        raise PermissionDenied(f"your role may not read: {', '.join(refused)}")

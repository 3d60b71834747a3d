"""Which role may do what? One table, and how an organization makes it tighter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.security.permissions import Permission

_P = Permission

_PEOPLE_READ: Final = frozenset({_P.ORGANIZATION_READ, _P.USERS_READ, _P.API_KEYS_READ})
_PEOPLE: Final = _PEOPLE_READ | {_P.ORGANIZATION_WRITE, _P.USERS_WRITE, _P.API_KEYS_WRITE}
_PROVIDERS_READ: Final = frozenset({_P.PROVIDERS_READ})
_PROVIDERS: Final = _PROVIDERS_READ | {_P.PROVIDERS_WRITE}
_RESOURCES_READ: Final = frozenset({_P.RESOURCES_READ, _P.TEMPLATES_READ, _P.DEPLOYMENTS_READ})
_RESOURCES_OPERATE: Final = _RESOURCES_READ | {_P.RESOURCES_OPERATE}
_RESOURCES: Final = _RESOURCES_OPERATE | {_P.RESOURCES_WRITE, _P.TEMPLATES_WRITE, _P.DEPLOYMENTS_WRITE}
_DECISIONS: Final = frozenset({_P.DEPLOYMENTS_APPROVE, _P.RESOURCES_FORCE, _P.OPTIMIZATION_APPLY})
_COSTS_READ: Final = frozenset({_P.COSTS_READ, _P.BUDGETS_READ})
_COSTS: Final = _COSTS_READ | {_P.COSTS_WRITE, _P.BUDGETS_WRITE}
_MONITORING_READ: Final = frozenset({_P.MONITORING_READ, _P.ALERTS_READ, _P.CHANNELS_READ})
_MONITORING: Final = _MONITORING_READ | {_P.ALERTS_ACKNOWLEDGE, _P.ALERTS_CONFIGURE, _P.CHANNELS_WRITE}
_RECOVERY_READ: Final = frozenset({_P.RECOVERY_READ})
_RECOVERY_TEST: Final = _RECOVERY_READ | {_P.RECOVERY_TEST}
_RECOVERY: Final = _RECOVERY_TEST | {_P.RECOVERY_WRITE, _P.RECOVERY_EXECUTE}
_COMPLIANCE_READ: Final = frozenset({_P.COMPLIANCE_READ})
_COMPLIANCE_SCAN: Final = _COMPLIANCE_READ | {_P.COMPLIANCE_SCAN}
_COMPLIANCE: Final = _COMPLIANCE_SCAN | {_P.COMPLIANCE_REMEDIATE}
_AUTOMATION_READ: Final = frozenset({_P.AUTOMATION_READ})
_AUTOMATION: Final = _AUTOMATION_READ | {_P.AUTOMATION_WRITE}
_AUDIT: Final = frozenset({_P.AUDIT_READ})
_OPERATIONS: Final = frozenset({_P.OPERATIONS_READ})  # everybody follows the work that they started

_ADMIN: Final = (
    _PEOPLE
    | _PROVIDERS
    | _RESOURCES
    | _DECISIONS
    | _COSTS
    | _MONITORING
    | _RECOVERY
    | _COMPLIANCE
    | _AUTOMATION
    | _AUDIT
    | _OPERATIONS
)


class Role(StrEnum):
    """What a user or an API key is in its organization."""

    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    ENGINEER = "engineer"
    VIEWER = "viewer"
    FINANCE = "finance"
    OPS = "ops"


ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.OWNER: _ADMIN | {_P.ORGANIZATION_OWN},
        Role.ADMIN: _ADMIN,
        Role.MANAGER: _PROVIDERS_READ
        | _RESOURCES
        | _DECISIONS
        | _COSTS
        | _MONITORING
        | _RECOVERY_TEST
        | _COMPLIANCE_SCAN
        | _AUTOMATION
        | _OPERATIONS,
        Role.ENGINEER: _PROVIDERS_READ
        | _RESOURCES
        | _COSTS_READ
        | _MONITORING
        | _RECOVERY_READ
        | _COMPLIANCE_SCAN
        | _AUTOMATION_READ
        | _OPERATIONS,
        Role.VIEWER: _PROVIDERS_READ
        | _RESOURCES_READ
        | _MONITORING_READ
        | _RECOVERY_READ
        | _COMPLIANCE_READ
        | _AUTOMATION_READ
        | _OPERATIONS,
        Role.FINANCE: _PROVIDERS_READ | _COSTS | _OPERATIONS,
        Role.OPS: _PROVIDERS_READ
        | _RESOURCES_OPERATE
        | _MONITORING
        | _RECOVERY
        | _COMPLIANCE_READ
        | _AUTOMATION
        | _AUDIT
        | _OPERATIONS,
    }
)


class CannotTighten(ValueError):
    """The owner's row is fixed: an organization that took from it could not give back."""


@dataclass(frozen=True, slots=True)
class RoleMatrix:
    """The roles of one organization: the table less what the organization has `removed`. It can never hold more.

    Raises CannotTighten when something is removed from the owner.
    """

    removed: Mapping[Role, frozenset[Permission]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.removed.get(Role.OWNER):
            raise CannotTighten("Nothing can be removed from the owner's role")

    def permissions_of(self, role: Role) -> frozenset[Permission]:
        """Everything that `role` may do in this organization."""
        return ROLE_PERMISSIONS[role] - self.removed.get(role, frozenset())

    def may_grant(self, creator: Role, role: Role) -> bool:
        """Whether the role `creator` may give `role` to a user or a key: it must hold everything that `role` holds."""
        return self.permissions_of(role) <= self.permissions_of(creator)


DEFAULT_MATRIX: Final = RoleMatrix()

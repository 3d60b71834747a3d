"""Who acts? A user, an API key, or the system itself, always inside one organization."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from shared.security.permissions import Permission
from shared.security.roles import ROLE_PERMISSIONS, Role

# A row of every deployment, so that `created_by` of automatic work has a target; `SYSTEM_ACTOR` of shared/kit names it.
SYSTEM_PRINCIPAL_ID: Final = UUID(int=0)
_SYSTEM_NAME: Final = "system"


class PrincipalKind(StrEnum):
    """How the principal came in."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"


class Principal(BaseModel):
    """One authenticated actor in one organization with what it may do there.

    `permissions` is the role's row of that organization's matrix, worked out when it came in; never more than the
    role's default row (ValueError). `token_expires_at` is None for a key without expiry and for the system.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    organization: UUID
    kind: PrincipalKind
    role: Role | None
    display_name: str
    permissions: frozenset[Permission] = frozenset()
    token_expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _holds_no_more_than_its_role(self) -> Self:
        if (self.role is None) != (self.kind is PrincipalKind.SYSTEM):
            raise ValueError("Users and API keys have a role, the system has none")
        if not self.permissions <= (ROLE_PERMISSIONS[self.role] if self.role else frozenset()):
            raise ValueError("A principal cannot hold more than its role")
        return self

    @property
    def actor(self) -> str:
        """The principal as messages and the audit log name it: `<kind>:<id>`."""
        return f"{self.kind}:{self.id}"

    def may(self, permission: Permission) -> bool:
        """Whether the principal holds `permission`."""
        return permission in self.permissions

    def expired(self, now: datetime) -> bool:
        """Whether its token no longer counts at `now`: the instant of expiry is already too late (RFC 7519, 4.1.4)."""
        return self.token_expires_at is not None and now >= self.token_expires_at


def system_principal(organization: UUID) -> Principal:
    """Return the actor of automatic work in `organization`. It passes no door, so it holds no permission."""
    return Principal(
        id=SYSTEM_PRINCIPAL_ID,
        organization=organization,
        kind=PrincipalKind.SYSTEM,
        role=None,
        display_name=_SYSTEM_NAME,
    )

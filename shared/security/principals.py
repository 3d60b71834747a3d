"""Who acts? A user or an API key, always inside one organization. (The system passes no door: messages/context.py.)"""

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from shared.security.permissions import Permission
from shared.security.roles import ROLE_PERMISSIONS, Role


class PrincipalKind(StrEnum):
    """How the principal came in."""

    USER = "user"
    API_KEY = "api_key"


class Principal(BaseModel):
    """One authenticated actor in one organization with what it may do there.

    `permissions` is the role's row of that organization's matrix, worked out when it came in; never more than the
    role's default row (ValueError). `token` is a user's access token, None of a key; `token_expires_at` is None for a
    key without expiry.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    organization: UUID
    organization_slug: str
    kind: PrincipalKind
    role: Role
    display_name: str
    permissions: frozenset[Permission] = frozenset()
    token: UUID | None = None
    token_expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _holds_no_more_than_its_role(self) -> Self:
        if not self.permissions <= ROLE_PERMISSIONS[self.role]:
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

"""Users: people with a password and a role in one organization. Owned by the gateway; a password is in no event."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request

RoleName = Literal["owner", "admin", "manager", "engineer", "viewer", "finance", "ops"]


class User(Facts):
    """One user as others may see it."""

    id: UUID
    organization_id: UUID
    email: str
    display_name: str
    role: str
    is_active: bool
    last_sign_in_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class CreateUser(Mutation, entity="user", name="create", owner="gateway", reply=User, timeout_s=10.0):
    """409 `email_taken`; 403 when the role holds more than the creator's own."""

    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    display_name: str = Field(min_length=1, max_length=200)
    role_of_user: RoleName
    password: str = Field(repr=False)


class GetUser(Request, entity="user", name="get", owner="gateway", reply=User):
    user: UUID


class ListUsers(ListRequest, entity="user", name="list", owner="gateway", reply=Page[User]):
    role: RoleName | None = None
    is_active: bool | None = None
    q: str | None = Field(default=None, max_length=200)


class ChangeUserRole(Mutation, entity="user", name="change_role", owner="gateway", reply=User):
    """Needs to be allowed to grant the old and the new role; 409 `last_owner` for the last active owner."""

    user: UUID
    role_of_user: RoleName


class DeactivateUser(Mutation, entity="user", name="deactivate", owner="gateway", reply=User):
    """Ends all of the user's sign-ins; 409 `last_owner` for the last active owner."""

    user: UUID


class UserEvent(Event):
    """The aggregate is the user."""

    user: User


class UserCreated(UserEvent, entity="user", name="created", owner="gateway"):
    pass


class UserRoleChanged(UserEvent, entity="user", name="role_changed", owner="gateway"):
    pass


class UserDeactivated(UserEvent, entity="user", name="deactivated", owner="gateway"):
    pass


class UserSignedOut(Event, entity="user", name="signed_out", owner="gateway"):
    """One of the user's sign-ins ended: a sign-out, or a refresh token that came back."""

    user_id: UUID
    reason: Literal["logout", "refresh_token_reused"]

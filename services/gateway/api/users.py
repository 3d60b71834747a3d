"""Routes of users: who belongs to the organization, and in which role?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.base import Page
from shared.messages.texts import Line
from shared.messages.users import ChangeUserRole, CreateUser, DeactivateUser, GetUser, ListUsers, RoleName, User
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/users", tags=["users"])

Reader = Annotated[Caller, Depends(needs(Permission.USERS_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.USERS_WRITE))]


class CreateUserBody(BaseModel):
    """A user with a first password of at least 12 characters."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "email": "emil@example.com",
                    "display_name": "Emil Engineer",
                    "role": "engineer",
                    "password": "correct horse battery staple",
                }
            ]
        },
    )

    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    display_name: Line = Field(min_length=1, max_length=200)
    role: RoleName
    password: str = Field(min_length=1, max_length=1024, repr=False)


class ChangeRoleBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "manager"}]})

    role: RoleName


class UserQuery(PageQuery):
    """Filters are equalities; `sort` is `created_at`, `email` or `display_name`."""

    role: RoleName | None = None
    is_active: bool | None = None
    q: Line | None = Field(default=None, max_length=200, description="Beginning of the name")


@router.get("", response_model=Page[User])
async def list_users(caller: Reader, query: Annotated[UserQuery, Query()]) -> Response:
    """The first made first, unless `sort` says otherwise."""
    return await caller.ask(ListUsers, **query.model_dump())


@router.get("/{user}", response_model=User)
async def get_user(user: UUID, caller: Reader) -> Response:
    return await caller.ask(GetUser, user=user)


@router.post("", status_code=201, response_model=User)
async def create_user(body: CreateUserBody, caller: Writer) -> Response:
    """Nobody makes a user that may do more than they may themselves."""
    return await caller.ask(
        CreateUser,
        status_code=201,
        location="/api/users/{id}",
        email=body.email,
        display_name=body.display_name,
        role_of_user=body.role,
        password=body.password,
    )


@router.put("/{user}/role", response_model=User)
async def change_user_role(user: UUID, body: ChangeRoleBody, caller: Writer) -> Response:
    """409 `last_owner` when the last active owner would be none."""
    return await caller.ask(ChangeUserRole, user=user, role_of_user=body.role)


@router.delete("/{user}", response_model=User)
async def deactivate_user(user: UUID, caller: Writer) -> Response:
    """Deactivate a user and end all of their sign-ins; the row stays, since the audit log names it."""
    return await caller.ask(DeactivateUser, user=user)

"""Routes of organizations: the tenants, and what each takes from the default roles."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.kit.errors import NotFound
from shared.messages.base import Page
from shared.messages.organizations import (
    SLUG,
    CreateOrganization,
    GetOrganization,
    GetRoleRestrictions,
    ListOrganizations,
    Organization,
    RestrictRoles,
    RoleRestrictions,
)
from shared.messages.texts import Line
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/organizations", tags=["organizations"])

Reader = Annotated[Caller, Depends(needs(Permission.ORGANIZATION_READ))]
Owner = Annotated[Caller, Depends(needs(Permission.ORGANIZATION_OWN))]


class OwnerBody(BaseModel):
    """The first owner of a new organization."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    display_name: Line = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1024, repr=False)


class CreateOrganizationBody(BaseModel):
    """A further tenant. `slug` is a DNS label and unique in the deployment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "organization_name": "Photo Lab",
                    "slug": "photo-lab",
                    "owner": {
                        "email": "olga@example.com",
                        "display_name": "Olga Owner",
                        "password": "correct horse battery staple",
                    },
                }
            ]
        },
    )

    organization_name: Line = Field(min_length=1, max_length=200)
    slug: str = Field(pattern=SLUG)
    owner: OwnerBody


class RestrictRolesBody(BaseModel):
    """Permissions to take away, by role; what is not named has its default."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"removed": {"engineer": ["alerts:configure"]}}]}
    )

    removed: dict[str, Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)]] = Field(
        max_length=10
    )


@router.get("", response_model=Page[Organization])
async def list_organizations(caller: Reader, query: Annotated[PageQuery, Query()]) -> Response:
    """The organizations that the caller belongs to; `sort` is `created_at` or `organization_name`."""
    return await caller.ask(ListOrganizations, **query.model_dump())


@router.get("/{organization}", response_model=Organization)
async def get_organization(organization: UUID, caller: Reader) -> Response:
    """The caller's own; any other is not there."""
    _ensure_own(organization, caller)
    return await caller.ask(GetOrganization)


@router.post("", status_code=201, response_model=Organization)
async def create_organization(body: CreateOrganizationBody, caller: Owner) -> Response:
    """Found a tenant with its first owner, who signs in by password. Only an owner may."""
    return await caller.ask(
        CreateOrganization,
        status_code=201,
        location="/api/organizations/{id}",
        organization_name=body.organization_name,
        slug=body.slug,
        owner_email=body.owner.email,
        owner_name=body.owner.display_name,
        owner_password=body.owner.password,
    )


@router.get("/{organization}/roles", response_model=RoleRestrictions)
async def get_role_restrictions(organization: UUID, caller: Reader) -> Response:
    """What the organization has taken from the default roles."""
    _ensure_own(organization, caller)
    return await caller.ask(GetRoleRestrictions)


@router.put("/{organization}/roles", response_model=RoleRestrictions)
async def restrict_roles(organization: UUID, body: RestrictRolesBody, caller: Owner) -> Response:
    """Replace what is taken from the roles; it counts for everybody within seconds. Only an owner may."""
    _ensure_own(organization, caller)
    return await caller.ask(RestrictRoles, removed=body.removed)


def _ensure_own(organization: UUID, caller: Caller) -> None:
    if organization != caller.organization:
        raise NotFound("there is no such organization")

"""Organizations: the tenants, and what each takes from the default roles. Owned by the gateway."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator

from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request

SLUG = r"^[a-z][a-z0-9-]{0,61}[a-z0-9]$"
"""A DNS label, so that it can be part of names at any provider."""


class Organization(Facts):
    """One tenant."""

    id: UUID
    organization_name: str
    slug: str
    settings: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime
    version: int


class BootstrappedDeployment(Facts):
    """The first tenant of a deployment; `key` is the owner's API key, shown once."""

    organization_id: UUID
    owner_id: UUID
    api_key_id: UUID
    key: str = Field(repr=False)


class RoleRestrictions(Facts):
    """What the organization takes from the default roles: permissions by role. `version` is the organization's."""

    removed: dict[str, list[str]]
    version: int


class BootstrapDeployment(
    Request,
    entity="organization",
    name="bootstrap",
    owner="gateway",
    askers=("operator",),
    reply=BootstrappedDeployment,
    timeout_s=10.0,
):
    """The first organization and its owner; 409 `already_bootstrapped` when there is any. Organization: system."""

    organization_name: str = Field(min_length=1, max_length=200)
    slug: str = Field(pattern=SLUG)
    owner_email: str = Field(min_length=3, max_length=254)
    owner_name: str = Field(min_length=1, max_length=200)
    owner_password: str = Field(repr=False)


class CreateOrganization(
    Mutation, entity="organization", name="create", owner="gateway", reply=Organization, timeout_s=10.0
):
    """A further tenant with its own first owner; only an owner of the asking organization may."""

    organization_name: str = Field(min_length=1, max_length=200)
    slug: str = Field(pattern=SLUG)
    owner_email: str = Field(min_length=3, max_length=254)
    owner_name: str = Field(min_length=1, max_length=200)
    owner_password: str = Field(repr=False)


class GetOrganization(Request, entity="organization", name="get", owner="gateway", reply=Organization):
    """The caller's own."""


class ListOrganizations(ListRequest, entity="organization", name="list", owner="gateway", reply=Page[Organization]):
    """Those that the caller belongs to: one."""


class GetRoleRestrictions(Request, entity="organization", name="restrictions", owner="gateway", reply=RoleRestrictions):
    pass


class RestrictRoles(Mutation, entity="organization", name="restrict", owner="gateway", reply=RoleRestrictions):
    """Replace what is taken from the roles. 422 for the owner's role and for unknown names."""

    removed: dict[str, list[str]] = Field(max_length=10)

    @field_validator("removed")
    @classmethod
    def _each_once(cls, removed: dict[str, list[str]]) -> dict[str, list[str]]:
        return {role: sorted(set(permissions)) for role, permissions in removed.items()}


class OrganizationCreated(Event, entity="organization", name="created", owner="gateway"):
    """A new tenant; the aggregate is the organization itself."""

    organization_id: UUID
    organization_name: str
    slug: str


class OrganizationUpdated(Event, entity="organization", name="updated", owner="gateway"):
    """Its settings or its roles changed."""

    organization_id: UUID
    organization_name: str
    slug: str

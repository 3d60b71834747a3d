"""Which tenants are there, and what has each taken from the default roles?"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.gateway.storage.tables import organizations, role_restrictions
from shared.db.pages import Keyset
from shared.db.tenancy import enter_background
from shared.db.work import Work, rows
from shared.kit.errors import Conflict, NotFound
from shared.messages.base import Page
from shared.messages.organizations import ListOrganizations, Organization
from shared.security.permissions import Permission
from shared.security.roles import Role

ORDER = Keyset(
    organizations.c.id,
    {"created_at": organizations.c.created_at, "organization_name": organizations.c.organization_name},
    default="created_at",
)

_FIRST_ONLY = text("SELECT pg_advisory_xact_lock(hashtext('canopy.bootstrap'))")


async def is_empty_deployment(work: Work) -> bool:
    """Whether no organization exists yet; holds a lock until the commit, so that only one caller is told so."""
    await work.execute(_FIRST_ONLY)
    return (await work.execute(select(func.count()).select_from(organizations))).scalar() == 0


async def add(work: Work, organization: UUID, name: str, slug: str) -> Organization:
    """Found a tenant. Widens a tenant's own work: nobody's policy lets it write another's rows. Raises Conflict."""
    if work.context.organization is not None:
        await enter_background(work.connection, "gateway")
    statement = (
        insert(organizations)
        .values(
            id=organization,
            organization_name=name,
            slug=slug,
            settings={},
            created_at=work.now,
            updated_at=work.now,
            version=1,
        )
        .on_conflict_do_nothing(index_elements=[organizations.c.slug])
        .returning(organizations)
    )
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise Conflict("another organization has this slug", code="slug_taken")
    return organization_of(row)


async def get(work: Work) -> Organization:
    """The organization of this work. Raises NotFound."""
    return await _one(work, select(organizations))


async def lock(work: Work) -> Organization:
    """The organization of this work, its row locked until the commit. Raises NotFound."""
    return await _one(work, select(organizations).with_for_update())


async def page(work: Work, request: ListOrganizations) -> Page[Organization]:
    statement = ORDER.select(select(organizations).where(organizations.c.id == work.organization), request)
    found, cursor = ORDER.page(rows(await work.execute(statement)), request)
    return Page[Organization](items=[organization_of(row) for row in found], next_cursor=cursor)


async def replace_restrictions(work: Work, removed: dict[Role, frozenset[Permission]]) -> Organization:
    """Store what is taken from the roles in place of what was; returns the organization with its new version."""
    await work.execute(delete(role_restrictions).where(role_restrictions.c.organization_id == work.organization))
    values: list[dict[str, Any]] = [
        {"organization_id": work.organization, "role": role.value, "permission": permission.value}
        for role, permissions in removed.items()
        for permission in permissions
    ]
    if values:
        await work.execute(insert(role_restrictions).values(values))
    statement = (
        update(organizations)
        .where(organizations.c.id == work.organization)
        .values(version=organizations.c.version + 1, updated_at=work.now)
        .returning(organizations)
    )
    return organization_of((await work.execute(statement)).mappings().one())


def organization_of(row: Any) -> Organization:
    return Organization.model_validate(dict(row))


async def _one(work: Work, statement: Select[Any]) -> Organization:
    row = (await work.execute(statement.where(organizations.c.id == work.organization))).mappings().first()
    if row is None:
        raise NotFound("there is no such organization")
    return organization_of(row)

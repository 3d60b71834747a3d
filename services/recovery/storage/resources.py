"""What does recovery know of the organization's resources? Its copy of the inventory."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from shared.db.inventory import known_resource
from shared.db.work import Work, rows


async def known(work: Work, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The rows of those of these resources that the organization has, by id; also of terminated ones."""
    statement = select(known_resource).where(
        known_resource.c.organization_id == work.organization, known_resource.c.id.in_(ids)
    )
    return {row["id"]: row for row in rows(await work.execute(statement))}


async def find(work: Work, resource_id: UUID) -> dict[str, Any] | None:
    """The row of one resource, None when the organization has no such resource."""
    return (await known(work, [resource_id])).get(resource_id)

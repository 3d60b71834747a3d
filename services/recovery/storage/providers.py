"""What does recovery know of the organization's providers? Its copy of the inventory."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from shared.db.inventory import known_provider
from shared.db.work import Work, rows


async def known(work: Work) -> dict[UUID, dict[str, Any]]:
    """The rows of all providers of the organization, by id; also of removed ones."""
    statement = select(known_provider).where(known_provider.c.organization_id == work.organization)
    return {row["id"]: row for row in rows(await work.execute(statement))}

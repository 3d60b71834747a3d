"""Every statement on several resources that one long work is about."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from services.provisioner.domain.resources import TERMINATED
from services.provisioner.storage import resources
from services.provisioner.storage.tables import cloud_resources
from shared.db.work import Work, rows
from shared.messages.resources import Resource

_table = cloud_resources.c
_SHOWN = (_table.id, _table.resource_name, _table.resource_id, _table.resource_status, _table.operation_id)


async def states(work: Work, resource_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Name, provider's id, status and operation of each, by our id."""
    statement = select(*_SHOWN).where(_table.organization_id == work.organization, _table.id.in_(resource_ids))
    return {row["id"]: row for row in rows(await work.execute(statement))}


async def lock_living(work: Work, resource_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The same of those that are not terminated, locked in the order of their ids."""
    statement = (
        select(*_SHOWN)
        .where(
            _table.organization_id == work.organization,
            _table.id.in_(resource_ids),
            _table.resource_status != TERMINATED,
        )
        .order_by(_table.id)
        .with_for_update()
    )
    return {row["id"]: row for row in rows(await work.execute(statement))}


async def lock_group(work: Work, original: UUID) -> list[Resource]:
    """The living members of a group, its original among them, locked in the order of their ids."""
    return await resources.lock_where(
        work, or_(_table.group_id == original, _table.id == original), _table.resource_status != TERMINATED
    )

"""Every statement on the history of scalings."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update

from services.provisioner.domain.groups import SCALE_IN, SCALE_OUT
from services.provisioner.domain.scaling import cost_impact, hourly_cost, item_of
from services.provisioner.storage.tables import resource_scaling_history
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.resources import ResourceCostChanged
from shared.messages.scaling import ListScalings, Scaling

_table = resource_scaling_history.c
_shown = [_table[name] for name in Scaling.model_fields]
GROUP_ACTIONS = (SCALE_OUT, SCALE_IN)
ORDER = Keyset(_table.id, {"started_at": _table.started_at}, "-started_at")


async def begin(work: Work, values: Mapping[str, Any]) -> None:
    """Write down what was accepted; its id is the operation's."""
    statement = insert(resource_scaling_history).values(
        organization_id=work.organization, started_at=work.now, **values
    )
    await work.execute(statement)


async def at_work(work: Work, resource: UUID) -> UUID | None:
    """The operation that makes a group of this original larger or smaller; None when none does."""
    statement = select(_table.id).where(
        _table.organization_id == work.organization,
        _table.resource_id == resource,
        _table.action.in_(GROUP_ACTIONS),
        _table.success.is_(None),
    )
    found: UUID | None = (await work.execute(statement.limit(1))).scalar()
    return found


async def get(work: Work, scaling_id: UUID) -> Scaling:
    """One of this organization that is there."""
    row = (await work.execute(select(*_shown).where(*_key(work, scaling_id)))).mappings().one()
    return Scaling.model_validate(dict(row))


async def finish(work: Work, scaling_id: UUID, *, success: bool, error: str | None = None) -> Scaling:
    """Write down how it ended, and how long it took."""
    begun = await get(work, scaling_id)
    duration_s = (work.now - begun.started_at).total_seconds()
    statement = update(resource_scaling_history).where(*_key(work, scaling_id))
    await work.execute(
        statement.values(success=success, error=error, finished_at=work.now, duration_s=round(duration_s, 3))
    )
    return await get(work, scaling_id)


async def note_cost_change(work: Work, scaling_id: UUID, hourly_change: float, currency: str) -> None:
    """Write down by how much an hour costs more or less now, where it is known what it cost before."""
    statement = select(_table.hourly_cost_before).where(*_key(work, scaling_id))
    before: float | None = (await work.execute(statement)).scalar_one()
    impact = None if before is None else cost_impact(before, round(before + hourly_change, 9), currency)
    if impact is not None:
        await work.execute(update(resource_scaling_history).where(*_key(work, scaling_id)).values(cost_impact=impact))


async def page(work: Work, request: ListScalings) -> tuple[list[Scaling], str | None]:
    """One page of a resource's history and the cursor of the next."""
    statement = select(*_shown).where(
        _table.organization_id == work.organization, _table.resource_id == request.resource
    )
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [Scaling.model_validate(dict(row)) for row in found], cursor


async def apply_cost(work: Work, event: ResourceCostChanged) -> None:
    """The first word of costs about the newest size says what it changed.

    The event's other figures (total, time) change all the time; only whether the new size has a price counts here.
    """
    newest = (
        select(resource_scaling_history)
        .where(
            _table.organization_id == work.organization,
            _table.resource_id == event.resource_id,
            _table.action.not_in(GROUP_ACTIONS),
        )
        .order_by(_table.started_at.desc(), _table.id.desc())
        .limit(1)
    )
    row = (await work.execute(newest)).mappings().first()
    if row is None or not row["success"] or row["cost_impact"] is not None:
        return
    after = hourly_cost(event.cost_tracking, item_of(row["after_configuration"]))
    impact = cost_impact(row["hourly_cost_before"], after, str(event.cost_tracking.get("currency")))
    if impact is not None:
        await work.execute(update(resource_scaling_history).where(*_key(work, row["id"])).values(cost_impact=impact))


def _key(work: Work, scaling_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (_table.id == scaling_id, _table.organization_id == work.organization)

"""Where are plans kept?"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert

from services.recovery.domain.plans import next_test_due, success_rate
from services.recovery.storage.tables import plans
from shared.db.pages import Keyset, begins_with
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.plans import ListPlans, Plan

ORDER = Keyset(plans.c.id, {"created_at": plans.c.created_at, "plan_name": plans.c.plan_name}, default="-created_at")


def plan_of(row: Mapping[str, Any]) -> Plan:
    """The public face of a plan's row."""
    frequency = row["testing_schedule"]["frequency"]
    return Plan.model_validate(
        {
            **row,
            "next_test_due": next_test_due(frequency, row["last_tested"], row["created_at"]),
            "test_success_rate": success_rate(row["tests_passed"], row["tests"]),
        }
    )


async def add(work: Work, values: dict[str, Any]) -> dict[str, Any] | None:
    """Insert a plan; None when the organization has one of that name."""
    row = {**values, "organization_id": work.organization, "created_at": work.now, "updated_at": work.now, "version": 1}
    statement = insert(plans).values(row).on_conflict_do_nothing().returning(*plans.c)
    added = (await work.execute(statement)).mappings().first()
    return None if added is None else dict(added)


async def get(work: Work, plan_id: UUID) -> dict[str, Any]:
    """A plan's row. Raises NotFound."""
    return await _one(work, _by_id(work, plan_id))


async def lock(work: Work, plan_id: UUID) -> dict[str, Any]:
    """The same, locked until the commit. Raises NotFound."""
    return await _one(work, _by_id(work, plan_id).with_for_update())


async def change(work: Work, plan_id: UUID, **values: Any) -> dict[str, Any]:
    """Update a plan, counting its version."""
    statement = (
        update(plans)
        .where(plans.c.id == plan_id, plans.c.organization_id == work.organization)
        .values(version=plans.c.version + 1, updated_at=work.now, **values)
        .returning(*plans.c)
    )
    return dict((await work.execute(statement)).mappings().one())


async def page(work: Work, request: ListPlans) -> tuple[list[Plan], str | None]:
    """One page of plans and the cursor of the next."""
    statement = select(plans).where(plans.c.organization_id == work.organization)
    if request.plan_type is not None:
        statement = statement.where(plans.c.plan_type == request.plan_type)
    if request.status is not None:
        statement = statement.where(plans.c.status == request.status)
    if request.q:
        statement = statement.where(begins_with(plans.c.plan_name, request.q))
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [plan_of(row) for row in found], cursor


async def all_of(work: Work) -> Sequence[dict[str, Any]]:
    """All plans of the organization, by name."""
    statement = select(plans).where(plans.c.organization_id == work.organization).order_by(plans.c.plan_name)
    return rows(await work.execute(statement))


def _by_id(work: Work, plan_id: UUID) -> Select[Any]:
    return select(plans).where(plans.c.id == plan_id, plans.c.organization_id == work.organization)


async def _one(work: Work, statement: Select[Any]) -> dict[str, Any]:
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such plan")
    return dict(row)

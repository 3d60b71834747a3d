"""Where are drills and their reports kept?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from services.recovery.storage.tables import drills
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.drills import Drill, Leftover, ListDrills

ORDER = Keyset(
    drills.c.id, {"created_at": drills.c.created_at, "started_at": drills.c.started_at}, default="-created_at"
)
RUNNING = "in_progress"


def drill_of(row: Mapping[str, Any]) -> Drill:
    """The public face of a drill's row; its report is there when it has ended."""
    return Drill.model_validate({**row, **(row["report"] or {}), "not_cleaned": list(row["not_cleaned"].values())})


async def add(work: Work, values: dict[str, Any]) -> dict[str, Any]:
    """Insert a drill that begins now."""
    row = {
        "organization_id": work.organization, "status": RUNNING, "not_cleaned": {}, "started_at": work.now,
        "created_at": work.now, "updated_at": work.now, "version": 1, **values,
    }  # fmt: skip
    return dict((await work.execute(insert(drills).values(row).returning(*drills.c))).mappings().one())


async def get(work: Work, drill_id: UUID) -> dict[str, Any]:
    """A drill's row. Raises NotFound."""
    statement = select(drills).where(drills.c.id == drill_id, drills.c.organization_id == work.organization)
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such drill")
    return dict(row)


async def running_of(work: Work, plan_id: UUID) -> UUID | None:
    """The drill that a plan has now."""
    statement = select(drills.c.id).where(
        drills.c.plan_id == plan_id, drills.c.organization_id == work.organization, drills.c.status == RUNNING
    )
    found: UUID | None = (await work.execute(statement)).scalar()
    return found


async def page(work: Work, request: ListDrills) -> tuple[list[Drill], str | None]:
    """One page of drills and the cursor of the next."""
    statement = select(drills).where(drills.c.organization_id == work.organization)
    if request.plan_id is not None:
        statement = statement.where(drills.c.plan_id == request.plan_id)
    if request.status is not None:
        statement = statement.where(drills.c.status == request.status)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [drill_of(row) for row in found], cursor


async def begin_cleaning(work: Work, drill_id: UUID) -> datetime:
    """When cleaning began: now, if it had not yet."""
    since: datetime = (
        await work.execute(
            update(drills)
            .where(drills.c.id == drill_id, drills.c.organization_id == work.organization)
            .values(cleaning_since=func.coalesce(drills.c.cleaning_since, work.now))
            .returning(drills.c.cleaning_since)
        )
    ).scalar_one()
    return since


async def note_left(work: Work, drill_id: UUID, leftover: Leftover) -> None:
    """Remember what could not be removed; once per thing, however often it is said."""
    said = literal({leftover.token: leftover.model_dump(mode="json")}, JSONB)
    await work.execute(
        update(drills)
        .where(drills.c.id == drill_id, drills.c.organization_id == work.organization)
        .values(not_cleaned=drills.c.not_cleaned.op("||")(said))
    )


async def finish(work: Work, drill_id: UUID, **values: Any) -> dict[str, Any]:
    """Write the end of a drill, counting its version."""
    statement = (
        update(drills)
        .where(drills.c.id == drill_id, drills.c.organization_id == work.organization)
        .values(version=drills.c.version + 1, updated_at=work.now, completed_at=work.now, **values)
        .returning(*drills.c)
    )
    return dict((await work.execute(statement)).mappings().one())

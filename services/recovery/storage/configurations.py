"""Where is kept what makes backups by the clock?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.recovery.domain.plans import success_rate
from services.recovery.storage.tables import configurations
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.ids import derived_id
from shared.messages.backups import BackupConfiguration, ListBackupConfigurations

ORDER = Keyset(
    configurations.c.id,
    {"created_at": configurations.c.created_at, "next_run_at": configurations.c.next_run_at},
    default="-created_at",
)
_FILTERS = ("resource_id", "plan_id", "status")


def configuration_of(row: Mapping[str, Any]) -> BackupConfiguration:
    """The public face of a configuration's row."""
    return BackupConfiguration.model_validate({**row, "success_rate": success_rate(row["successes"], row["runs"])})


async def put(work: Work, plan_id: UUID, resource_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    """Insert the configuration of a plan's resource, or change the one that is there; what it has run stays.

    `next_run_at` in `values` is one interval from now. Of a row that is there it only brings the next run forward: a
    plan that becomes hourly does not wait for its month to end, and changing a plan often puts no backup off.
    """
    changed = {**values, "updated_at": work.now}
    statement = insert(configurations).values(
        id=derived_id(plan_id, str(resource_id)),
        organization_id=work.organization,
        plan_id=plan_id,
        resource_id=resource_id,
        created_at=work.now,
        **changed,
    )
    changed["next_run_at"] = func.least(configurations.c.next_run_at, statement.excluded.next_run_at)
    changed["version"] = configurations.c.version + 1
    put_row = statement.on_conflict_do_update(
        index_elements=[configurations.c.plan_id, configurations.c.resource_id], set_=changed
    )
    return dict((await work.execute(put_row.returning(*configurations.c))).mappings().one())


async def disable_others(work: Work, plan_id: UUID, resources: Sequence[UUID]) -> None:
    """Stop the backups of what the plan no longer lists."""
    await work.execute(
        update(configurations)
        .where(
            configurations.c.plan_id == plan_id,
            configurations.c.organization_id == work.organization,
            configurations.c.resource_id.not_in(resources),
        )
        .values(status="disabled", updated_at=work.now, version=configurations.c.version + 1)
    )


async def disable(work: Work, resource_id: UUID) -> None:
    """Stop all backups of a resource of the organization: it is gone."""
    await work.execute(
        update(configurations)
        .where(configurations.c.resource_id == resource_id, configurations.c.organization_id == work.organization)
        .values(status="disabled", updated_at=work.now, version=configurations.c.version + 1)
    )


async def of_resource(work: Work, resource_id: UUID) -> Sequence[dict[str, Any]]:
    """The active configurations of a resource."""
    statement = select(configurations).where(
        configurations.c.organization_id == work.organization,
        configurations.c.resource_id == resource_id,
        configurations.c.status == "active",
    )
    return rows(await work.execute(statement))


async def due(work: Work, limit: int) -> list[tuple[UUID, UUID]]:
    """In background work: (organization, id) of configurations whose time has come, the most overdue first."""
    statement = (
        select(configurations.c.organization_id, configurations.c.id)
        .where(configurations.c.status == "active", configurations.c.next_run_at <= work.now)
        .order_by(configurations.c.next_run_at)
        .limit(limit)
    )
    return [(row.organization_id, row.id) for row in await work.execute(statement)]


async def take_due(work: Work, configuration_id: UUID) -> dict[str, Any] | None:
    """Lock a configuration that is still due; None when it is not, or when another replica has it."""
    statement = (
        select(configurations)
        .where(
            configurations.c.id == configuration_id,
            configurations.c.organization_id == work.organization,
            configurations.c.status == "active",
            configurations.c.next_run_at <= work.now,
        )
        .with_for_update(skip_locked=True)
    )
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


async def schedule(work: Work, configuration_id: UUID, next_run_at: datetime) -> None:
    await _update(work, configuration_id, next_run_at=next_run_at)


async def note_success(work: Work, configuration_id: UUID, size_gb: int) -> None:
    """A run has completed."""
    table = configurations.c
    await _update(
        work, configuration_id, runs=table.runs + 1, successes=table.successes + 1, last_run_at=work.now,
        last_success_at=work.now, last_size_gb=size_gb,
    )  # fmt: skip


async def note_failure(work: Work, configuration_id: UUID) -> None:
    """A run has failed; the next one comes by the clock."""
    await _update(work, configuration_id, runs=configurations.c.runs + 1, last_run_at=work.now)


async def page(work: Work, request: ListBackupConfigurations) -> tuple[list[BackupConfiguration], str | None]:
    """One page of configurations and the cursor of the next."""
    statement = select(configurations).where(configurations.c.organization_id == work.organization)
    for name in _FILTERS:
        value = getattr(request, name)
        if value is not None:
            statement = statement.where(configurations.c[name] == value)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [configuration_of(row) for row in found], cursor


async def _update(work: Work, configuration_id: UUID, **values: Any) -> None:
    await work.execute(
        update(configurations)
        .where(configurations.c.id == configuration_id, configurations.c.organization_id == work.organization)
        .values(version=configurations.c.version + 1, updated_at=work.now, **values)
    )

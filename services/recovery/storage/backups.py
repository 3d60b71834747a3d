"""Where are backups kept, and which of them can be restored?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from services.recovery.domain.backups import KeptBackup
from services.recovery.domain.plans import success_rate
from services.recovery.storage.tables import KEPT_STATUSES, backups, retention_examinations
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.kit.ids import new_id
from shared.messages.backups import Backup, BackupStarted, BackupSummary, ListBackups, RunBackup
from shared.messages.plans import RetentionPolicy

ORDER = Keyset(
    backups.c.id, {"created_at": backups.c.created_at, "started_at": backups.c.started_at}, default="-created_at"
)
_FILTERS = ("backup_type", "target", "status", "plan_id", "configuration_id")
GONE = "deleted"


def regions_of(row: Mapping[str, Any]) -> list[str]:
    """The regions in which a completed backup has a snapshot of every volume."""
    if row["status"] != "completed" or not row["snapshots"]:
        return []
    copied = [region for region in row["destinations"] if all(region in each["copies"] for each in row["snapshots"])]
    return [row["source_region"], *copied]


def backup_of(row: Mapping[str, Any]) -> Backup:
    """The public face of a backup's row."""
    told = {each.get("encrypted") for each in row["snapshots"]}
    encrypted = None if not told or None in told else all(told)
    return Backup.model_validate({**row, "location": regions_of(row), "encrypted": encrypted})


async def add(work: Work, values: dict[str, Any]) -> dict[str, Any]:
    """Insert a backup that begins now."""
    row = {
        "organization_id": work.organization, "status": "in_progress", "method": "snapshot", "snapshots": [],
        "started_at": work.now, "created_at": work.now, "updated_at": work.now, "version": 1, **values,
    }  # fmt: skip
    return dict((await work.execute(insert(backups).values(row).returning(*backups.c))).mappings().one())


def begin(work: Work, row: Mapping[str, Any]) -> RunBackup:
    """Tell that a backup has begun; returns the command that does it."""
    work.emit(BackupStarted(**work.about(row["id"], row["version"]), backup=backup_of(row)))
    return RunBackup(**work.about(row["id"], row["version"]))


async def start_of(work: Work, configuration: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any] | None:
    """Begin the next backup of a configuration and send its command; None while the last one still runs."""
    if await is_running(work, configuration["id"]):
        return None
    row = await add(
        work,
        {
            "id": new_id(),
            "backup_type": configuration["backup_type"],
            "target": resource["id"],
            "target_name": resource["resource_name"],
            "configuration_id": configuration["id"],
            "plan_id": configuration["plan_id"],
            "provider_id": resource["provider_id"],
            "source_region": resource["region"],
            "destinations": configuration["destinations"],
            "retention": configuration["retention"],
        },
    )
    work.emit(begin(work, row))
    return row


async def is_running(work: Work, configuration_id: UUID) -> bool:
    statement = select(backups.c.id).where(
        backups.c.configuration_id == configuration_id,
        backups.c.organization_id == work.organization,
        backups.c.status == "in_progress",
    )
    return (await work.execute(statement)).first() is not None


async def get(work: Work, backup_id: UUID) -> dict[str, Any]:
    """A backup's row. Raises NotFound."""
    statement = select(backups).where(backups.c.id == backup_id, backups.c.organization_id == work.organization)
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such backup")
    return dict(row)


async def change(work: Work, backup_id: UUID, **values: Any) -> dict[str, Any]:
    """Update a backup, counting its version."""
    statement = (
        update(backups)
        .where(backups.c.id == backup_id, backups.c.organization_id == work.organization)
        .values(version=backups.c.version + 1, updated_at=work.now, **values)
        .returning(*backups.c)
    )
    return dict((await work.execute(statement)).mappings().one())


async def newest_usable(work: Work, resources: Sequence[UUID], region: str) -> dict[UUID, dict[str, Any]]:
    """The newest backup of each resource that can be restored in a region; those that have none are missing.

    One look at the index per resource: a plan's resources may have thousands of backups.
    """
    wanted = func.unnest(cast(list(resources), ARRAY(Uuid))).table_valued("id").render_derived("wanted")
    newest = (
        select(backups)
        .where(
            backups.c.organization_id == work.organization,
            backups.c.target == wanted.c.id,
            backups.c.status == "completed",
            _is_complete_in(region),
        )
        .order_by(backups.c.recovery_point_at.desc(), backups.c.id.desc())
        .limit(1)
        .lateral("newest")
    )
    found = await work.execute(select(newest).select_from(wanted.join(newest, true())))
    return {row["target"]: row for row in rows(found)}


def _is_complete_in(region: str) -> ColumnElement[bool]:
    """As `regions_of`: every snapshot has a copy in the region, and there is a snapshot."""
    snapshot = (
        func.jsonb_array_elements(backups.c.snapshots).table_valued(column("value", JSONB)).render_derived("snapshot")
    )
    has_no_copy = snapshot.c.value["copies"][region].is_(None)
    return and_(
        backups.c.destinations.any(region),
        func.jsonb_array_length(backups.c.snapshots) > 0,
        ~exists(select(snapshot.c.value).where(has_no_copy)),
    )


async def page(work: Work, request: ListBackups) -> tuple[list[Backup], str | None]:
    """One page of backups and the cursor of the next."""
    statement = select(backups).where(backups.c.organization_id == work.organization)
    if request.status is None:
        statement = statement.where(backups.c.status != GONE)
    for name in _FILTERS:
        value = getattr(request, name)
        if value is not None:
            statement = statement.where(backups.c[name] == value)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [backup_of(row) for row in found], cursor


async def summary(work: Work) -> BackupSummary:
    """Of all backups of the organization. A backup that was deleted had succeeded before."""
    present = backups.c.status.not_in(["failed", "in_progress", GONE])
    ended = backups.c.status != "in_progress"
    statement: Select[Any] = select(
        func.count().filter(present).label("total"),
        func.coalesce(func.sum(backups.c.size_gb).filter(present), 0).label("size"),
        func.min(backups.c.recovery_point_at).filter(present).label("oldest"),
        func.max(backups.c.recovery_point_at).filter(present).label("newest"),
        func.count().filter(ended).label("ended"),
        func.count().filter(backups.c.status == "failed").label("failed"),
    ).where(backups.c.organization_id == work.organization)
    row = (await work.execute(statement)).one()
    return BackupSummary(
        total=row.total,
        total_size_gb=int(row.size),
        oldest_backup_at=row.oldest,
        newest_backup_at=row.newest,
        success_rate=success_rate(row.ended - row.failed, row.ended),
    )


async def expiring_organizations(work: Work, limit: int) -> list[UUID]:
    """In background work: organizations that have backups which may have expired, the longest unexamined first."""
    examined_at = func.min(retention_examinations.c.examined_at)
    statement = (
        select(backups.c.organization_id)
        .outerjoin(retention_examinations, retention_examinations.c.organization_id == backups.c.organization_id)
        .where(_may_have_expired(work))
        .group_by(backups.c.organization_id)
        .order_by(examined_at.asc().nulls_first(), backups.c.organization_id)
        .limit(limit)
    )
    return [row.organization_id for row in await work.execute(statement)]


async def mark_examined(work: Work) -> None:
    """Retention has been applied to the organization's backups."""
    statement = insert(retention_examinations).values(organization_id=work.organization, examined_at=work.now)
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=[retention_examinations.c.organization_id], set_={"examined_at": work.now}
        )
    )


async def kept(work: Work) -> list[KeptBackup]:
    """All backups that have snapshots, of the organization's resources of which one may have expired."""
    expiring = select(backups.c.target).where(backups.c.organization_id == work.organization, _may_have_expired(work))
    statement = select(backups).where(
        backups.c.organization_id == work.organization,
        backups.c.status.in_(KEPT_STATUSES),
        backups.c.target.in_(expiring),
    )
    return [
        KeptBackup(
            id=row["id"],
            target=row["target"],
            recovery_point_at=row["recovery_point_at"],
            retention=RetentionPolicy.model_validate(row["retention"]),
            regions=frozenset(regions_of(row)),
        )
        for row in rows(await work.execute(statement))
    ]


async def begin_deletion(work: Work, backup_id: UUID) -> dict[str, Any] | None:
    """Mark an expired backup; None when another replica has done so."""
    statement = (
        update(backups)
        .where(
            backups.c.id == backup_id,
            backups.c.organization_id == work.organization,
            backups.c.status.in_(KEPT_STATUSES),
        )
        .values(status="deleting", version=backups.c.version + 1, updated_at=work.now)
        .returning(*backups.c)
    )
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


def _may_have_expired(work: Work) -> ColumnElement[bool]:
    """Its days are over, or (no `expires_at`) later backups decide."""
    is_over = or_(backups.c.expires_at <= work.now, backups.c.expires_at.is_(None))
    return and_(backups.c.status.in_(KEPT_STATUSES), is_over)


def newest_points(newest: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, datetime]:
    return {resource_id: row["recovery_point_at"] for resource_id, row in newest.items()}

"""Which backups begin or end by the clock? The jobs find them and send commands; all replicas do the work."""

from uuid import UUID

import structlog

from services.recovery.deps import Deps
from services.recovery.domain.backups import expired, next_run_at
from services.recovery.domain.plans import TERMINATED
from services.recovery.storage import backups, configurations, plans
from shared.db.work import Work
from shared.messages.audit import AuditRecorded
from shared.messages.backups import DeleteBackup
from shared.messages.context import Context

AT_ONCE = 500
"""How many a run takes on; the next run takes the rest."""

log = structlog.get_logger(__name__)


async def start_due_backups(deps: Deps) -> int:
    """Begin the backup of each configuration whose time has come; returns how many began."""
    async with deps.database.work(Context.background()) as work:
        due = await configurations.due(work, AT_ONCE)
    begun = 0
    for organization, configuration_id in due:
        async with deps.database.work(Context.automatic(organization)) as work:
            begun += await _start(work, configuration_id)
    return begun


async def _start(work: Work, configuration_id: UUID) -> bool:
    configuration = await configurations.take_due(work, configuration_id)
    if configuration is None:
        return False
    following = next_run_at(configuration["frequency"], configuration["next_run_at"], work.now)
    await configurations.schedule(work, configuration_id, following)
    resource = (await plans.known_resources(work, [configuration["resource_id"]])).get(configuration["resource_id"])
    if resource is None or resource["resource_status"] == TERMINATED:
        await configurations.disable(work, configuration["resource_id"])
        return False
    backup = await backups.start_of(work, configuration, resource)
    if backup is None:
        log.warning("a backup still runs when the next is due", configuration=str(configuration_id))
        return False
    _audit(work, backup["id"], backup["version"], "backup.create", resource["resource_name"])
    return True


async def begin_deletions(deps: Deps) -> int:
    """Have the snapshots of expired backups deleted; returns how many backups."""
    async with deps.database.work(Context.background()) as work:
        organizations = await backups.candidates(work, AT_ONCE)
    begun = 0
    for organization in organizations:
        async with deps.database.work(Context.automatic(organization)) as work:
            for backup_id in expired(await backups.kept(work), work.now)[:AT_ONCE]:
                begun += await _begin_deletion(work, backup_id)
    return begun


async def _begin_deletion(work: Work, backup_id: UUID) -> bool:
    row = await backups.begin_deletion(work, backup_id)
    if row is None:
        return False
    work.emit(DeleteBackup(**work.about(backup_id, row["version"])))
    _audit(work, backup_id, row["version"], "backup.delete", row["target_name"])
    return True


def _audit(work: Work, backup_id: UUID, version: int, action: str, name: str | None) -> None:
    work.emit(AuditRecorded(**work.about(backup_id, version), action=action, target_type="backup", target_name=name))

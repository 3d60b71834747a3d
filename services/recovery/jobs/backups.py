"""Which backups begin or end by the clock? The jobs find them and send commands; all replicas do the work."""

from uuid import UUID

import structlog

from services.recovery.deps import Deps
from services.recovery.domain.backups import expired, next_run_at
from services.recovery.domain.plans import TERMINATED
from services.recovery.storage import backups, configurations, resources
from shared.db.work import Work
from shared.messages.backups import DeleteBackup
from shared.messages.context import Context
from shared.runtime.parts import each_apart

AT_ONCE = 500
"""How many a run takes on; the next run takes the rest."""

log = structlog.get_logger(__name__)


async def start_due_backups(deps: Deps) -> None:
    """Begin the backup of each configuration whose time has come."""
    async with deps.database.work(Context.background()) as work:
        due = await configurations.due(work, AT_ONCE)

    async def start(each: tuple[UUID, UUID]) -> None:
        organization, configuration_id = each
        async with deps.database.work(Context.automatic(organization)) as work:
            await _start(work, configuration_id)

    await each_apart(due, start)


async def _start(work: Work, configuration_id: UUID) -> None:
    configuration = await configurations.take_due(work, configuration_id)
    if configuration is None:
        return
    following = next_run_at(configuration["frequency"], configuration["next_run_at"], work.now)
    await configurations.schedule(work, configuration_id, following)
    resource = await resources.find(work, configuration["resource_id"])
    if resource is None or resource["resource_status"] == TERMINATED:
        await configurations.disable(work, configuration["resource_id"])
        return
    backup = await backups.start_of(work, configuration, resource)
    if backup is None:
        log.warning("a backup still runs when the next is due", configuration=str(configuration_id))
        return
    work.audit("backup.create", backup["id"], backup["version"], resource["resource_name"])


async def begin_deletions(deps: Deps) -> None:
    """Have the snapshots of expired backups deleted."""
    async with deps.database.work(Context.background()) as work:
        organizations = await backups.expiring_organizations(work, AT_ONCE)

    async def examine(organization: UUID) -> None:
        async with deps.database.work(Context.automatic(organization)) as work:
            for backup_id in expired(await backups.kept(work), work.now)[:AT_ONCE]:
                await _begin_deletion(work, backup_id)
            await backups.mark_examined(work)

    await each_apart(organizations, examine)


async def _begin_deletion(work: Work, backup_id: UUID) -> None:
    row = await backups.begin_deletion(work, backup_id)
    if row is None:
        return
    work.emit(DeleteBackup(**work.about(backup_id, row["version"])))
    work.audit("backup.delete", backup_id, row["version"], row["target_name"])

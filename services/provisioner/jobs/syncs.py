"""Which accounts are read by the clock? Those whose facts are stale longest, a few at a time over all replicas."""

from datetime import timedelta

from services.provisioner.deps import Deps
from services.provisioner.domain.scopes import Account, due_accounts
from services.provisioner.storage import scopes
from shared.messages.context import Context
from shared.messages.syncs import ScanProvider
from shared.runtime.parts import each_apart

REST = timedelta(seconds=60)
"""An account whose sync was queued is not queued again within this time, whatever became of it."""


async def sync_accounts(deps: Deps) -> int:
    """Queue the syncs of accounts that are due; returns how many."""
    async with deps.database.work(Context.background()) as work:
        room = deps.settings.syncs_at_once - await scopes.count_at_work(work)
        if room <= 0:
            return 0
        every = timedelta(seconds=deps.settings.sync_every_s)
        due = due_accounts(await scopes.accounts(work, REST), work.now, every, room)

    async def queue(account: Account) -> None:
        async with deps.database.work(Context.automatic(account.organization_id)) as work:
            version = await scopes.mark_queued(work, account.provider_id)
            if version is not None:
                work.emit(ScanProvider(**work.about(account.provider_id, version), only_due=True))

    await each_apart(due, queue)
    return len(due)

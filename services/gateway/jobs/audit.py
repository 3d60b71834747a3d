"""What keeps the audit log provable and open? Signed checkpoints, and partitions before they are needed."""

from services.gateway.deps import Deps
from services.gateway.domain.audit import sign_checkpoint
from services.gateway.storage import audit
from shared.messages.context import Context

MONTHS_AHEAD = 3


async def sign_checkpoints(deps: Deps) -> None:
    """Sign the head of every chain that has grown: whoever later cuts or rewrites it cannot sign another."""
    async with deps.database.work(Context.background()) as work:
        for organization, head in await audit.heads_without_checkpoint(work):
            await audit.add_checkpoint(work, sign_checkpoint(organization, head, work.now, deps.keys.checkpoints))


async def make_partitions(deps: Deps) -> None:
    """There is no DEFAULT partition: a month without one would stop the log."""
    async with deps.database.work(Context.background()) as work:
        await audit.make_partitions(work, MONTHS_AHEAD)

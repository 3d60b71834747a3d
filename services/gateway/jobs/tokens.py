"""What is left of tokens and tickets that ended, and of operations that nobody asks for any more?"""

from datetime import timedelta

from services.gateway.deps import Deps
from services.gateway.domain.tokens import ACCESS_LIFETIME
from services.gateway.storage import operations, refresh_tokens, tickets
from shared.messages.context import Context

TICKETS_KEPT = timedelta(hours=1)
OPERATIONS_KEPT = timedelta(days=90)


async def forget_ended(deps: Deps) -> None:
    """Refresh tokens stay as long as an access token issued with them could: it is looked up by their row."""
    async with deps.database.work(Context.background()) as work:
        await refresh_tokens.forget(work, work.now - ACCESS_LIFETIME)
        await tickets.forget(work, work.now - TICKETS_KEPT)
        await operations.forget(work, work.now - OPERATIONS_KEPT)

"""What is left of tokens and tickets that ended, and of operations that nobody asks for any more?"""

from datetime import timedelta

from services.gateway.deps import Deps
from services.gateway.domain.tokens import ACCESS_LIFETIME
from services.gateway.storage import operations
from services.gateway.storage.refresh_tokens import forget_refresh_tokens
from services.gateway.storage.tickets import forget_tickets
from shared.messages.context import Context

TICKETS_KEPT = timedelta(hours=1)
OPERATIONS_KEPT = timedelta(days=90)


async def forget_ended(deps: Deps) -> None:
    """Refresh tokens stay as long as an access token issued with them could: it is looked up by their row."""
    async with deps.database.work(Context.background()) as work:
        await forget_refresh_tokens(work, work.now - ACCESS_LIFETIME)
        await forget_tickets(work, work.now - TICKETS_KEPT)
        await operations.forget(work, work.now - OPERATIONS_KEPT)

"""What did reads of the account find changed at a resource?"""

from services.provisioner.deps import Deps
from services.provisioner.storage import history, resources
from shared.bus.router import Routes
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.history import HistoryEntry, ListHistory

routes = Routes()


@routes.request(ListHistory)
async def list_history(request: ListHistory, deps: Deps) -> Page[HistoryEntry]:
    """Raises NotFound."""
    async with deps.database.work(Context.of(request)) as work:
        await resources.get(work, request.resource)
        items, cursor = await history.page(work, request)
    return Page[HistoryEntry](items=items, next_cursor=cursor)

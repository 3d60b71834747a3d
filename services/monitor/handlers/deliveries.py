"""What became of the notifications of a channel?"""

from services.monitor.deps import Deps
from services.monitor.storage import channels, deliveries
from shared.bus.router import Routes
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.deliveries import Delivery, ListDeliveries

routes = Routes()


@routes.request(ListDeliveries)
async def list_deliveries(request: ListDeliveries, deps: Deps) -> Page[Delivery]:
    async with deps.database.work(Context.of(request)) as work:
        await channels.get(work, request.channel)
        items, cursor = await deliveries.page(work, request)
    return Page[Delivery](items=items, next_cursor=cursor)

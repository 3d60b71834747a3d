"""How is the costs service put together?"""

import asyncio
from functools import partial

import structlog

from services.costs.deps import Deps
from services.costs.handlers import router
from services.costs.jobs import jobs_of
from services.costs.settings import Settings
from services.costs.storage import prices
from shared.bus.failures import is_connectivity
from shared.bus.inventory import keep_complete
from shared.db.engine import Database
from shared.messages.context import Context
from shared.runtime.process import Application, Foundation

log = structlog.get_logger(__name__)


async def build(foundation: Foundation[Settings]) -> Application:
    deps = Deps(foundation.settings, foundation.database)
    return Application(
        router=router,
        deps=deps,
        jobs=jobs_of(foundation.settings),
        background=[
            partial(load_prices, foundation.database),
            partial(keep_complete, foundation.database, foundation.bus, router.service),
        ],
    )


async def load_prices(database: Database) -> None:
    """Load the price file of this release unless it is loaded; waits while the database is away."""
    content = await asyncio.to_thread((prices.FILES / f"{prices.NAME}.csv.gz").read_bytes)
    while True:
        try:
            async with database.work(Context.background()) as work:
                loaded = await prices.load(work, content)
        except Exception as error:
            if not is_connectivity(error):
                raise
            await asyncio.sleep(1)
        else:
            log.info("prices", loaded=loaded)
            return

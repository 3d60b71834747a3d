"""How is the costs service put together?"""

from functools import partial

from services.costs.deps import Deps
from services.costs.handlers import router
from services.costs.jobs import jobs_of
from services.costs.settings import Settings
from shared.bus.inventory import keep_complete
from shared.runtime.process import Application, Foundation


async def build(foundation: Foundation[Settings]) -> Application:
    deps = Deps(foundation.settings, foundation.database)
    return Application(
        router=router,
        deps=deps,
        jobs=jobs_of(foundation.settings),
        background=[
            partial(keep_complete, foundation.database, foundation.bus, router.service),
        ],
    )

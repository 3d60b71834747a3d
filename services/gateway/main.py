"""How is the gateway put together?"""

from services.gateway.api.app import Doors, create_app
from services.gateway.deps import make_deps
from services.gateway.handlers import router
from services.gateway.jobs import jobs
from services.gateway.settings import Settings
from shared.runtime.process import Application, Foundation


async def build(foundation: Foundation[Settings]) -> Application:
    """The composition root: settings -> deps -> doors."""
    deps = make_deps(foundation.settings, foundation.database, foundation.bus, foundation.clock)
    doors = Doors(deps)
    return Application(
        router=router,
        deps=deps,
        jobs=jobs,
        background=doors.background,
        close=doors.close,
        http=create_app(doors),
        public_port=foundation.settings.public_port,
    )

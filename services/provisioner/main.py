"""What is the provisioner made of? Settings → deps → application."""

from services.provisioner.deps import Deps
from services.provisioner.domain.places import Places, places_of_a_lane
from services.provisioner.handlers import router
from services.provisioner.jobs import jobs_of
from services.provisioner.settings import Settings
from shared.bus.budgets import BudgetLedger
from shared.clouds.budget.limiter import Limiter
from shared.clouds.registry import Clouds, provider_names
from shared.clouds.settings import CloudSettings
from shared.db.reads import Reader
from shared.runtime.process import Application, Foundation
from shared.security.envelope import KeyRing


async def build(foundation: Foundation[Settings]) -> Application:
    """Compose the service. Raises InvalidKeyRing: without keys there are no credentials and nothing to do."""
    settings = foundation.settings
    cloud_settings = CloudSettings()
    deps = Deps(
        settings=settings,
        cloud_settings=cloud_settings,
        bus=foundation.bus,
        database=foundation.database,
        journal=foundation.journal,
        reader=Reader(settings.database_url.get_secret_value(), pool_size=settings.reader_pool_size),
        clouds=Clouds(cloud_settings, Limiter(cloud_settings, BudgetLedger(foundation.bus))),
        key_ring=KeyRing.parse(settings.key_ring.get_secret_value()),
        places=Places(places_of_a_lane(settings.command_concurrency, len(provider_names()))),
        clock=foundation.clock,
    )
    await deps.reader.open()

    async def close() -> None:
        await deps.reader.close()
        await deps.clouds.close()

    return Application(router=router, deps=deps, jobs=jobs_of(settings), close=close)

"""How is recovery put together?"""

from services.recovery.deps import Deps
from services.recovery.handlers import router
from services.recovery.jobs import jobs
from services.recovery.settings import Settings
from shared.bus.budgets import BudgetLedger
from shared.bus.credentials import CredentialStore
from shared.bus.inventory import keep_complete
from shared.clouds.budget.limiter import Limiter
from shared.clouds.registry import Clouds
from shared.clouds.settings import CloudSettings
from shared.runtime.process import Application, Foundation
from shared.security.envelope import KeyRing


async def build(foundation: Foundation[Settings]) -> Application:
    """Raises shared.security.envelope.InvalidKeyRing when the deployment gives no usable key ring."""
    cloud_settings = CloudSettings()
    clouds = Clouds(cloud_settings, Limiter(cloud_settings, BudgetLedger(foundation.bus)))
    key_ring = KeyRing.parse(foundation.settings.key_ring.get_secret_value())
    deps = Deps(
        database=foundation.database,
        journal=foundation.journal,
        settings=foundation.settings,
        clock=foundation.clock,
        clouds=clouds,
        credentials=CredentialStore(foundation.bus, key_ring),
    )

    async def keep_inventory() -> None:
        await keep_complete(foundation.database, foundation.bus, "recovery")

    return Application(router=router, deps=deps, jobs=jobs, background=[keep_inventory], close=clouds.close)

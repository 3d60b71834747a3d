"""Monitor's composition root: settings, deps, application."""

import asyncio

import structlog

from services.monitor.deps import Deps
from services.monitor.domain.pauses import Pauses
from services.monitor.handlers import router
from services.monitor.jobs import monitor_jobs
from services.monitor.jobs.metrics import make_partitions
from services.monitor.settings import Settings
from services.monitor.storage.alert_rules import RuleBook
from shared.bus.budgets import BudgetLedger
from shared.bus.credentials import CredentialStore
from shared.bus.inventory import keep_complete
from shared.clouds.budget.limiter import Limiter
from shared.clouds.registry import Clouds
from shared.clouds.settings import CloudSettings
from shared.runtime.process import Application, Foundation
from shared.runtime.worker import Worker
from shared.security.envelope import KeyRing

log = structlog.get_logger(__name__)


async def build(foundation: Foundation[Settings]) -> Application:
    """Everything monitor's doors need."""
    settings, database, bus = foundation.settings, foundation.database, foundation.bus
    key_ring = KeyRing.parse(settings.key_ring.get_secret_value())
    cloud_settings = CloudSettings()
    clouds, worker = Clouds(cloud_settings, Limiter(cloud_settings, BudgetLedger(bus))), Worker()
    deps = Deps(
        database=database,
        bus=bus,
        clock=foundation.clock,
        settings=settings,
        key_ring=key_ring,
        credentials=CredentialStore(bus, key_ring),
        clouds=clouds,
        rules=RuleBook(),
        worker=worker,
        pauses=Pauses(settings.expression_pause_s),
    )

    async def keep_inventory() -> None:
        await keep_complete(database, bus, "monitor")

    async def close() -> None:
        await worker.close()
        await clouds.close()

    return Application(
        router=router,
        deps=deps,
        jobs=monitor_jobs(settings),
        background=[keep_inventory, lambda: _partitions_at_start(deps)],
        close=close,
    )


async def _partitions_at_start(deps: Deps) -> None:
    """The job may have run an hour ago with other settings: a batch must not wait for the next one."""
    while True:
        try:
            await make_partitions(deps)
        except Exception:
            log.exception("partitions could not be made")
            await asyncio.sleep(1)
        else:
            return

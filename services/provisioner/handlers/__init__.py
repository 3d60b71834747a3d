"""Which messages does the provisioner take? The table of its doors."""

from services.provisioner.handlers import (
    credentials,
    dependencies,
    fleets,
    groups,
    health,
    history,
    machines,
    observations,
    providers,
    reconfiguring,
    resizing,
    resources,
    scaling,
    services,
    syncs,
    trust,
)
from shared.bus.router import Router

router = Router(
    "provisioner",
    providers.routes,
    health.routes,
    trust.routes,
    credentials.routes,
    resources.routes,
    machines.routes,
    scaling.routes,
    resizing.routes,
    reconfiguring.routes,
    observations.routes,
    syncs.routes,
    history.routes,
    dependencies.routes,
    fleets.routes,
    groups.routes,
    services.routes,
)

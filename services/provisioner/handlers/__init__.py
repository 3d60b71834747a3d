"""Which messages does the provisioner take? The table of its doors."""

from services.provisioner.handlers import (
    credentials,
    dependencies,
    history,
    machines,
    observations,
    placement,
    placing,
    providers,
    reconfiguring,
    resizing,
    resources,
    scaling,
    syncs,
)
from shared.bus.router import Router

router = Router(
    "provisioner",
    providers.routes,
    credentials.routes,
    resources.routes,
    machines.routes,
    placement.routes,
    placing.routes,
    scaling.routes,
    resizing.routes,
    reconfiguring.routes,
    observations.routes,
    syncs.routes,
    history.routes,
    dependencies.routes,
)

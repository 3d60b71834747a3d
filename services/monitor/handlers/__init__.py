"""Monitor's message doors, one file per noun. deliveries.py is the notifier's (services/monitor/notifier.py)."""

from services.monitor.handlers import (
    alerts,
    budgets,
    channels,
    collections,
    health,
    metrics,
    providers,
    resources,
    rules,
)
from shared.bus.router import Router

router = Router(
    "monitor",
    alerts.routes,
    budgets.routes,
    channels.routes,
    collections.routes,
    health.routes,
    metrics.routes,
    providers.routes,
    resources.routes,
    rules.routes,
)

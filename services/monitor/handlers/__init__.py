"""Monitor's message doors, one file per noun. notifications.py is the notifier's (services/monitor/notifier.py)."""

from services.monitor.handlers import (
    alert_rules,
    alerts,
    budgets,
    channels,
    collections,
    deliveries,
    health,
    metrics,
    providers,
    resources,
)
from shared.bus.router import Router

router = Router(
    "monitor",
    alert_rules.routes,
    alerts.routes,
    budgets.routes,
    channels.routes,
    collections.routes,
    deliveries.routes,
    health.routes,
    metrics.routes,
    providers.routes,
    resources.routes,
)

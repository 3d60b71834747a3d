"""Monitor's message doors, one file per noun. The notifier's router is in services/monitor/notifier.py."""

from shared.bus.router import Router

router = Router("monitor")

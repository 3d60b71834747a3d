"""The notifier: monitor's second process, which tells people what happened."""

from shared.bus.router import Router

router = Router("notifier")

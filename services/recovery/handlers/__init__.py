"""Which messages does recovery answer, and with which function?"""

from services.recovery.handlers import backups, drills, plans, providers, resources
from shared.bus.router import Router

router = Router("recovery", plans.routes, backups.routes, drills.routes, resources.routes, providers.routes)

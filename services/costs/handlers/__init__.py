"""Which messages does costs answer and react to?"""

from services.costs.handlers import budgets, costs, providers, resources
from shared.bus.router import Router

router = Router("costs", providers.routes, resources.routes, costs.routes, budgets.routes)

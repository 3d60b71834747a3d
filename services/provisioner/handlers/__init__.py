"""Which messages does the provisioner take? The table of its doors."""

from services.provisioner.handlers import accounts, machines, observations, providers, resources
from shared.bus.router import Router

router = Router(
    "provisioner", providers.routes, accounts.routes, resources.routes, machines.routes, observations.routes
)

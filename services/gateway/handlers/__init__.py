"""The message door: requests about the gateway's own nouns, and the events it keeps."""

from services.gateway.handlers import operations
from shared.bus.router import Router

router = Router("gateway", operations.routes)

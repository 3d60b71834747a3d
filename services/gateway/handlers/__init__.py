"""The message door: requests about the gateway's own nouns, and the events it keeps."""

from services.gateway.handlers import api_keys, audit, operations, organizations, users
from shared.bus.router import Router

router = Router("gateway", organizations.routes, users.routes, api_keys.routes, audit.routes, operations.routes)

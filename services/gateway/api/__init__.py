"""The HTTP door: parse, authorise, ask the owner, answer. One file per noun, whose `router` is listed here."""

from services.gateway.api import (
    api_keys,
    audit,
    budgets,
    costs,
    operations,
    organizations,
    schema,
    stream,
    tokens,
    users,
)

ROUTERS = (
    tokens.router,
    organizations.router,
    users.router,
    api_keys.router,
    audit.router,
    operations.router,
    stream.router,
    costs.router,
    budgets.router,
    schema.router,
)

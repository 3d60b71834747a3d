"""The HTTP door: parse, authorise, ask the owner, answer. One file per noun, whose `router` is listed here."""

from services.gateway.api import operations, schema, stream

ROUTERS = (
    operations.router,
    stream.router,
    schema.router,
)

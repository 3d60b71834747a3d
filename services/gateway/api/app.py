"""What does the gateway serve over HTTP? All routes, behind observation, security headers and body limits."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.gateway.api import ROUTERS, problems, schema
from services.gateway.api.accepted import AcceptedOperations
from services.gateway.api.authentication import Authentication
from services.gateway.api.body_limits import BodyLimits
from services.gateway.api.live import Live
from services.gateway.api.observation import Observation
from services.gateway.api.rate_limits import RateLimits
from services.gateway.api.security_headers import SecurityHeaders
from services.gateway.deps import Deps
from shared.kit.errors import CanopyError
from shared.runtime.health import alive_route


class Doors:
    """What the routes of one gateway process share: authentication, rate limits, live sockets."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.rate_limits = RateLimits(deps.settings)
        self.authentication = Authentication(deps, self.rate_limits)
        self.accepted = AcceptedOperations(deps.database)
        self.live = Live(deps, forget=self.authentication.forget)

    @property
    def background(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [self.live.run, self.authentication.store_uses]

    async def close(self) -> None:
        await self.live.close()


def create_app(doors: Doors) -> FastAPI:
    """The ASGI application. Of health it tells the world only that it answers."""
    # redirect_slashes: a redirect would be built from the client's Host header.
    app = FastAPI(
        title=schema.TITLE,
        version=schema.VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # Observation makes the one span of a request
    )
    app.state.doors = doors
    app.router.routes.append(alive_route("gateway"))
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: schema.openapi(app)  # type: ignore[method-assign]
    app.add_exception_handler(CanopyError, problems.on_canopy_error)
    app.add_exception_handler(RequestValidationError, problems.on_validation_error)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    # The last one added is the outermost.
    app.add_middleware(BodyLimits, limit_bytes=doors.deps.settings.body_limit_bytes)
    app.add_middleware(Observation)
    app.add_middleware(SecurityHeaders)
    trusted = [str(each) for each in doors.deps.settings.trusted_proxies]
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)
    return app

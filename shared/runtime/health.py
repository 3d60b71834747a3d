"""Is this process alive, and can it work? `/healthz`, `/readyz` (names what is missing), `/metrics`."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.kit.telemetry import READY

Check = Callable[[], Awaitable[bool]]


def health_application(service: str, checks: Mapping[str, Check]) -> Starlette:
    """What every service serves on its `http_port`; `checks` are asked at each readiness probe."""

    async def readyz(_: Request) -> Response:
        states = {name: await check() for name, check in checks.items()}
        ready = all(states.values())
        READY.set(1 if ready else 0)
        body = {"ready": ready, "service": service, "missing": [name for name, good in states.items() if not good]}
        return JSONResponse(body, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[alive_route(service), Route("/readyz", readyz), Route("/metrics", metrics)])


def alive_route(service: str) -> Route:
    """`/healthz`: asks nobody and says nothing but that the process answers."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok", "service": service})

    return Route("/healthz", healthz)

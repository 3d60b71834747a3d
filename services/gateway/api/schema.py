"""What are the contracts? OpenAPI 3.1 of the routes, AsyncAPI 3.0 of the messages, a page without scripts."""

import base64
import hashlib
import html
from functools import cache
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.gateway.api.caller import permission_of
from services.gateway.api.problems import MEDIA_TYPE, Problem
from shared.messages.asyncapi import document

router = APIRouter(prefix="/api/schema", tags=["schema"], include_in_schema=False)

TITLE = "Canopy"
VERSION = "1.0.0"

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_PROBLEMS = {
    "400": "Not readable: not JSON, not UTF-8",
    "401": "No, a wrong, a revoked or an expired key or token",
    "403": "The role does not allow it (`permission_denied`)",
    "404": "There is no such thing in this organization",
    "409": "The state does not allow it, or the idempotency key is in flight",
    "412": "If-Match is stale",
    "413": "The body is larger than 1 MiB",
    "415": "The body is not JSON",
    "422": "The input does not fit; `errors` points to each field",
    "429": "Too many requests; see Retry-After",
    "503": "The owner of the noun is away; see Retry-After",
    "504": "The owner did not answer in time; repeat with the same Idempotency-Key",
}
_READS = frozenset({"400", "401", "403", "404", "422", "429", "503", "504"})
_PUBLIC = frozenset({"/api/auth/token", "/api/auth/refresh", "/api/auth/logout"})
_MUTATING = ("post", "put", "patch", "delete")
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em}td,th{text-align:left;vertical-align:top;padding:.3em .8em .3em 0}"
)


@router.get("/openapi.json")
async def openapi_json(request: Request) -> Response:
    return JSONResponse(await _openapi(request))


@router.get("/asyncapi.json")
async def asyncapi_json() -> Response:
    return JSONResponse(await to_thread.run_sync(_asyncapi))


@router.get("")
async def page(request: Request) -> Response:
    """A page of all routes and messages that loads nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    messages = await to_thread.run_sync(_asyncapi)
    return HTMLResponse(_page(await _openapi(request), messages), headers={"Content-Security-Policy": policy})


async def _openapi(request: Request) -> dict[str, Any]:
    """In a thread: to read all routes takes a second once, and others are being served meanwhile."""
    found: dict[str, Any] = await to_thread.run_sync(request.app.openapi)
    return found


@cache
def _asyncapi() -> dict[str, Any]:
    return document()


def published_openapi() -> dict[str, Any]:
    """The document without a running gateway: for docs/contracts."""
    app = FastAPI(title=TITLE, version=VERSION, openapi_url=None)
    for each in _routers():
        app.include_router(each)
    return openapi(app)


def _routers() -> tuple[APIRouter, ...]:
    from services.gateway import api  # noqa: PLC0415 - the list of all routes names this file too

    return api.ROUTERS


def openapi(app: FastAPI) -> dict[str, Any]:
    """The document of all routes: security, headers and problems of every one beside what FastAPI reads from it."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description="Canopy: a multi-cloud control plane. Errors are RFC 9457 problems with a stable `code`.",
            routes=app.routes,
        )
        _complete(found)
        for router in _routers():
            for route in router.routes:
                if isinstance(route, APIRoute) and route.include_in_schema:
                    _say_permission(found["paths"][route.path_format], route)
        app.openapi_schema = found
    return app.openapi_schema


def _complete(found: dict[str, Any]) -> None:
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    components["securitySchemes"] = {
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    found["security"] = [{"api_key": []}, {"bearer": []}]
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            _complete_operation(path, method, operation)


def _say_permission(methods: dict[str, Any], route: APIRoute) -> None:
    permission = permission_of(route)
    if permission is not None:
        for method in route.methods or ():
            methods[method.lower()]["responses"]["403"]["description"] = f"Needs the permission `{permission}`"


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    mutating = method in _MUTATING
    for status, description in _PROBLEMS.items():
        if mutating or status in _READS:
            responses[status] = {"description": description, "content": _PROBLEM}
    if path in _PUBLIC:
        operation["security"] = []
        return
    if mutating:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key and body give the same answer for 24 h",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        )


def _page(routes: dict[str, Any], messages: dict[str, Any]) -> str:
    rows = [
        _row(f"{method.upper()} {path}", operation.get("summary", ""), operation.get("description", ""))
        for path, methods in routes["paths"].items()
        for method, operation in methods.items()
    ]
    events = [
        _row(channel["address"], name, channel.get("description", "")) for name, channel in messages["channels"].items()
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Canopy contracts</title><style>{_STYLE}</style>"
        "<h1>Canopy contracts</h1><p>Machine-readable: <a href=/api/schema/openapi.json>OpenAPI 3.1</a>, "
        "<a href=/api/schema/asyncapi.json>AsyncAPI 3.0</a>.</p>"
        f"<h2>Routes</h2><table>{''.join(rows)}</table><h2>Messages</h2><table>{''.join(events)}</table></html>"
    )


def _row(*cells: str) -> str:
    first, *rest = (html.escape(cell) for cell in cells)
    return f"<tr><td><code>{first}</code></td>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"

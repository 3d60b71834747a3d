"""How does an error look outside? RFC 9457 `application/problem+json` with a stable `code`, whoever found it."""

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from shared.kit.errors import CanopyError, FieldError, InvalidInput, TooLarge

MEDIA_TYPE = "application/problem+json"
CORRELATION = "canopy.correlation_id"
"""Where the observation middleware keeps the request's correlation id in the ASGI scope."""

_OF_STATUS = {
    400: ("malformed_request", "The request cannot be read"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "The method is not allowed here"),
    406: ("not_acceptable", "Not acceptable"),
    413: (TooLarge.code, TooLarge.title),
    415: ("unsupported_media_type", "The body is not JSON"),
}


class Malformed(CanopyError):
    """What is not even JSON."""

    status, code, title = 400, "malformed_request", "The request cannot be read"


class UnsupportedMediaType(CanopyError):
    status, code, title = 415, "unsupported_media_type", "The body is not JSON"


class ProblemError(BaseModel):
    """One thing wrong with the input: a JSON pointer into the body, or the name of a parameter, and a sentence."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """The shape of every error (RFC 9457)."""

    type: str = Field(examples=["urn:canopy:problem:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no such resource"])
    code: str = Field(examples=["not_found"], description="Stable; meant for programs")
    errors: list[ProblemError] = []
    correlation_id: UUID


def correlation_of(connection: HTTPConnection) -> UUID:
    found: UUID = connection.scope[CORRELATION]
    return found


def problem_body(error: CanopyError, correlation_id: UUID) -> dict[str, Any]:
    """The document of an error."""
    return {
        "type": f"urn:canopy:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "code": error.code,
        "errors": [{"pointer": each.pointer, "detail": each.detail} for each in error.errors],
        "correlation_id": str(correlation_id),
    }


def problem_response(error: CanopyError, correlation_id: UUID, headers: Mapping[str, str] | None = None) -> Response:
    """The response of an error, with Retry-After in whole seconds where a repeat can help."""
    sent = dict(headers or {})
    if error.retry_after_s is not None:
        sent["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:
        sent["WWW-Authenticate"] = 'Bearer realm="canopy"'
    body = msgspec.json.encode(problem_body(error, correlation_id))
    return Response(body, error.status, sent, media_type=MEDIA_TYPE)


async def on_canopy_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CanopyError)
    return problem_response(error, correlation_of(request))


async def on_validation_error(request: Request, error: Exception) -> Response:
    """FastAPI's own checks of body, path and query. What was sent is not repeated: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    fields = [FieldError(_pointer(item["loc"]), str(item["msg"])) for item in error.errors()]
    return problem_response(InvalidInput("the input does not fit", errors=fields), correlation_of(request))


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: unknown routes, methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    code, title = _OF_STATUS.get(error.status_code, ("http_error", "The request is refused"))
    refused = CanopyError(title, code=code)
    refused.status, refused.title = error.status_code, title
    return problem_response(refused, correlation_of(request), error.headers)


def _pointer(location: tuple[str | int, ...] | list[str | int]) -> str:
    """`/name` of a body; `query/limit`, `path/id` stay named, since a pointer points into the body only."""
    place, rest = location[0], [str(part).replace("~", "~0").replace("/", "~1") for part in location[1:]]
    return "/" + "/".join(rest) if place == "body" else "/".join([str(place), *rest])

"""Which bodies come in? JSON in UTF-8, up to a limit, holding nothing that PostgreSQL or another parser would refuse.

Read once and whole here, so that every route sees the same bytes and none meets a body it cannot store: NUL characters
and lone surrogates are legal JSON escapes that a `text` or `jsonb` column refuses.
"""

from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.api.problems import CORRELATION, Malformed, UnsupportedMediaType, problem_response
from shared.kit.errors import CanopyError, FieldError, InvalidInput, TooLarge

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
MAXIMUM_DEPTH = 64


class BodyLimits:
    """Refuses what is too large, not JSON, or not storable, before any route runs."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            if scope["method"] in _BODILESS:
                await self._app(scope, receive, send)
                return
            body = await self._read(scope, receive)
            check_body(scope, body)
        except CanopyError as error:
            await problem_response(error, scope[CORRELATION])(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """The body, counted while it comes: a length that was declared is believed only when it is too large."""
        declared = _header(scope, b"content-length")
        if declared.isdigit() and int(declared) > self._limit_bytes:
            raise self._too_large()
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Malformed("the client went away")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limit_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"a body has at most {self._limit_bytes} bytes")


def check_body(scope: Scope, body: bytes) -> None:
    """Raise UnsupportedMediaType, Malformed (400) or InvalidInput (422, with pointers); an empty body is none."""
    if not body:
        return
    media_type = _header(scope, b"content-type").split(b";")[0].strip().lower()
    if media_type != b"application/json":
        raise UnsupportedMediaType("send application/json")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        if _has_surrogate_escape(body):
            raise InvalidInput("the body holds half of a surrogate pair", code="invalid_text") from None
        raise Malformed("the body is not JSON in UTF-8", code="malformed_json") from None
    errors: list[FieldError] = []
    _walk(value, "", errors, 0)
    if errors:
        raise InvalidInput("the body holds what cannot be stored", code="invalid_text", errors=errors[:20])


def _walk(value: Any, pointer: str, errors: list[FieldError], depth: int) -> None:
    if depth > MAXIMUM_DEPTH:
        raise InvalidInput(f"the body is nested deeper than {MAXIMUM_DEPTH}", code="too_deep")
    if isinstance(value, str):
        _check_text(value, pointer, errors)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, pointer, errors)
            _walk(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", errors, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _walk(item, f"{pointer}/{index}", errors, depth + 1)


def _check_text(text: str, pointer: str, errors: list[FieldError]) -> None:
    if "\x00" in text:
        errors.append(FieldError(pointer.replace("\x00", ""), "must not hold the character NUL"))


def _has_surrogate_escape(body: bytes) -> bool:
    return b"\\ud" in body.lower()


def _check_address(scope: Scope) -> None:
    """Path and query are decoded for routes as UTF-8; what is not would silently become other characters."""
    for part, place in ((scope.get("raw_path") or b"", "path"), (scope.get("query_string") or b"", "query")):
        if b"%" not in part and part.isascii():
            continue
        decoded = unquote_to_bytes(part)
        if b"\x00" in decoded:
            raise InvalidInput(
                "the address holds the character NUL", code="invalid_text", errors=[FieldError(place, "holds NUL")]
            )
        try:
            decoded.decode()
        except UnicodeDecodeError:
            raise InvalidInput(
                "the address is not UTF-8", code="invalid_text", errors=[FieldError(place, "is not UTF-8")]
            ) from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, and then what the client does next."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")

"""How does the command speak to the gateway? The REST API as any client uses it, with an API key."""

from typing import Any
from uuid import uuid4

import httpx

from deploy.command.environment import value

TIMEOUT_S = 30.0


class Unreachable(Exception):
    """Nobody answers at the URL, or it is not known."""


class Problem(Exception):
    """The gateway's answer is an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        lines = [f"{body.get('title', 'error')} ({status} {body.get('code', '')})", body.get("detail") or ""]
        lines += [f"  {item.get('pointer')}: {item.get('detail')}" for item in body.get("errors") or []]
        super().__init__("\n".join(line for line in lines if line))
        self.status = status
        self.code = body.get("code")


def call(method: str, path: str, *, body: Any = None, query: dict[str, Any] | None = None) -> Any:
    """The JSON of the answer. Raises Problem and Unreachable. A mutation carries an idempotency key."""
    url = value("CANOPY_URL")
    if url is None:
        raise Unreachable("CANOPY_URL is not set and no embedded deployment is here (make up)")
    headers = {"X-API-Key": value("CANOPY_TOKEN") or ""}
    if method != "GET":
        headers["Idempotency-Key"] = str(uuid4())
    parameters = {name: item for name, item in (query or {}).items() if item is not None}
    try:
        response = httpx.request(
            method, url.rstrip("/") + path, json=body, params=parameters, headers=headers, timeout=TIMEOUT_S
        )
    except httpx.HTTPError as error:
        raise Unreachable(f"{url} does not answer: {type(error).__name__}") from None
    if response.is_error:
        raise Problem(response.status_code, _json(response))
    return _json(response)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else {}
    except ValueError:
        return {"title": "not an answer of Canopy", "code": "", "detail": response.text[:200]}

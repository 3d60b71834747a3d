"""What do Vultr's answers look like: pages by cursor, times, refusals?"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from deploy.local.clouds.world.provider import Answer, Call, Refusal

PER_PAGE, PER_PAGE_MAX = 100, 500

# kind: status, and the sentence when it is always the same
_REFUSALS = {
    "unauthenticated": (401, "Invalid API token."),
    "expired": (401, "Invalid API token."),
    "forbidden": (403, "This user does not have the permission to do that."),
    "not_found": (404, "Invalid instance-id"),
    "no_route": (404, "Invalid API path"),
    "invalid": (400, ""),
    "conflict": (409, ""),
    "wrong_state": (400, ""),
    "throttled": (429, "Rate limit hit"),
    "quota": (400, "Server add failed: You have reached the maximum monthly fee limit for this account."),
    "no_capacity": (400, "Plan is not available in the selected region."),
    "internal": (500, "Internal server error"),
    "unavailable": (503, "Service unavailable"),
}

_Thing = TypeVar("_Thing")


def refused(refusal: Refusal) -> Answer:
    status, sentence = _REFUSALS[refusal.kind]
    status = refusal.status or status
    headers = {} if refusal.retry_after_s is None else {"retry-after": f"{refusal.retry_after_s:g}"}
    return Answer(status, {"error": sentence or refusal.message, "status": status}, headers)


def moment(time_s: float) -> str:
    """`2026-11-25T21:00:00+00:00`."""
    return dt.datetime.fromtimestamp(int(time_s), dt.UTC).isoformat()


def page_of(
    call: Call,
    name: str,
    things: Sequence[_Thing],
    key: Callable[[_Thing], int],
    make: Callable[[_Thing], dict[str, Any]],
) -> Answer:
    """The things after the query's cursor, which is the `key` of the last one of the page before."""
    after = _read_cursor(call.query.get("cursor", ""))
    text = call.query.get("per_page", "")
    size = int(text) if text.isdecimal() and 1 <= int(text) <= PER_PAGE_MAX else PER_PAGE
    rest = sorted((each for each in things if key(each) > after), key=key)
    shown = rest[:size]
    following = _cursor(key(shown[-1])) if len(rest) > size else ""
    links = {"next": following, "prev": ""}
    return Answer(200, {name: [make(each) for each in shown], "meta": {"total": len(things), "links": links}})


def list_of(call: Call, name: str, documents: Sequence[dict[str, Any]]) -> Answer:
    """A page of documents that never change."""
    numbered = list(enumerate(documents, 1))
    return page_of(call, name, numbered, lambda each: each[0], lambda each: each[1])


def _cursor(number: int) -> str:
    return base64.b64encode(f"next__{number}".encode()).decode()


def _read_cursor(text: str) -> int:
    try:
        return int(base64.b64decode(text).decode().removeprefix("next__")) if text else 0
    except ValueError as error:
        raise Refusal("invalid", "Invalid cursor") from error

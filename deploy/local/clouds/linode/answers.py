"""What do Linode's answers look like: pages, filters, times, refusals?"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from deploy.local.clouds.world.provider import Answer, Call, HttpRequest, Refusal

PAGE_SIZE, PAGE_SIZE_MIN, PAGE_SIZE_MAX = 100, 25, 500

# kind: status, and the sentence when it is always the same
_REFUSALS = {
    "unauthenticated": (401, "Invalid Token"),
    "expired": (401, "Invalid Token"),
    "forbidden": (403, "Your OAuth token is not authorized to use this endpoint."),
    "not_found": (404, "Not found"),
    "no_route": (404, "Not found"),
    "invalid": (400, ""),
    "conflict": (400, ""),
    "wrong_state": (400, ""),
    "throttled": (429, "Too many requests"),
    "quota": (400, "Account Limit reached. Please open a support ticket."),
    "no_capacity": (400, "The selected plan is out of capacity in the selected region."),
    "internal": (500, "An error occurred while processing your request."),
    "unavailable": (503, "The service is temporarily unavailable. Please try again later."),
}

_Thing = TypeVar("_Thing")


def refused(refusal: Refusal) -> Answer:
    status, sentence = _REFUSALS[refusal.kind]
    error = {"reason": sentence or refusal.message}
    if refusal.field:
        error["field"] = refusal.field
    headers = {} if refusal.retry_after_s is None else {"retry-after": f"{refusal.retry_after_s:g}"}
    return Answer(refusal.status or status, {"errors": [error]}, headers)


def moment(time_s: float) -> str:
    """`2026-11-25T21:00:00`, which is UTC."""
    return dt.datetime.fromtimestamp(int(time_s), dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def filters_of(request: HttpRequest) -> Mapping[str, Any]:
    """The X-Filter header; raises Refusal for what is no JSON object. Its operators (+or, +gt…) are not served."""
    try:
        found = json.loads(request.headers.get("x-filter", "{}"))
    except ValueError as error:
        raise Refusal("invalid", "Cannot parse X-Filter", field="X-Filter") from error
    if not isinstance(found, dict) or any(name.startswith("+") for name in found):
        raise Refusal("invalid", "Invalid X-Filter", field="X-Filter")
    return found


def page_of(
    call: Call,
    things: Sequence[_Thing],
    make: Callable[[_Thing], dict[str, Any]],
    seen: Callable[[_Thing], Mapping[str, Any]] | None = None,
) -> Answer:
    """The page that the query asks for, of those that the filter lets through.

    `make` turns what is on the page into documents; `seen` gives what can be filtered by, when that is less to make.
    """
    filters, look = filters_of(call.http), seen or make
    found = [each for each in things if not filters or _passes(look(each), filters)]
    size = _natural(call.query.get("page_size", str(PAGE_SIZE)))
    if not PAGE_SIZE_MIN <= size <= PAGE_SIZE_MAX:
        raise Refusal("invalid", f"Must be {PAGE_SIZE_MIN}-{PAGE_SIZE_MAX}", field="page_size")
    number = max(1, _natural(call.query.get("page", "1")))
    pages = max(1, -(-len(found) // size))
    if number > pages:
        raise Refusal("not_found")
    shown = [make(each) for each in found[(number - 1) * size : number * size]]
    return Answer(200, {"data": shown, "page": number, "pages": pages, "results": len(found)})


def list_of(call: Call, documents: Sequence[dict[str, Any]]) -> Answer:
    """A page of documents that never change."""
    return page_of(call, documents, lambda each: each)


def _passes(seen: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    return all(_fits(seen.get(name), value) for name, value in filters.items())


def _fits(value: Any, wanted: Any) -> bool:
    return wanted in value if isinstance(value, list) else bool(value == wanted)


def _natural(text: str) -> int:
    return int(text) if text.isdecimal() else 0

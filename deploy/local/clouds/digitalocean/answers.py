"""What do DigitalOcean's answers look like: pages, times, refusals?"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from deploy.local.clouds.world.provider import Answer, Call, Refusal

PER_PAGE, PER_PAGE_MAX = 20, 200

# kind: status, id, and the sentence when it is always the same
_REFUSALS = {
    "unauthenticated": (401, "unauthorized", "Unable to authenticate you"),
    "expired": (401, "unauthorized", "Unable to authenticate you"),
    "forbidden": (403, "forbidden", "You are not authorized to perform this operation"),
    "not_found": (404, "not_found", "The resource you requested could not be found."),
    "no_route": (404, "not_found", "The resource you requested could not be found."),
    "invalid": (422, "unprocessable_entity", ""),
    "wrong_state": (422, "unprocessable_entity", ""),
    "conflict": (409, "conflict", ""),
    "throttled": (429, "too_many_requests", "API Rate limit exceeded."),
    "quota": (422, "unprocessable_entity", "creating this/these droplet(s) will exceed your droplet limit"),
    "no_capacity": (422, "unprocessable_entity", "Size is not available in this region."),
    "internal": (500, "server_error", "Unexpected server-side error"),
    "unavailable": (503, "service_unavailable", "Service unavailable"),
}


def refused(refusal: Refusal) -> Answer:
    status, identifier, sentence = _REFUSALS[refusal.kind]
    headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "0"} if refusal.kind == "throttled" else {}
    if refusal.retry_after_s is not None:
        headers["retry-after"] = f"{refusal.retry_after_s:g}"
    document = {"id": refusal.code or identifier, "message": sentence or refusal.message}
    return Answer(refusal.status or status, document, headers)


def moment(time_s: float) -> str:
    """`2026-11-25T21:00:00Z`."""
    return dt.datetime.fromtimestamp(int(time_s), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page_of(call: Call, name: str, documents: list[Any], make: Any = None) -> Answer:
    """The page that the query asks for; `make` turns what is on it into documents."""
    number = _natural(call.query.get("page", "1"), 1)
    size = min(PER_PAGE_MAX, _natural(call.query.get("per_page", ""), PER_PAGE))
    last = max(1, -(-len(documents) // size))
    found = documents[(number - 1) * size : number * size]
    pages: dict[str, str] = {}
    if number > 1:
        pages |= {"first": _link(call, 1, size), "prev": _link(call, number - 1, size)}
    if number < last:
        pages |= {"next": _link(call, number + 1, size), "last": _link(call, last, size)}
    shown = found if make is None else [make(each) for each in found]
    links = {"pages": pages} if pages else {}
    return Answer(200, {name: shown, "links": links, "meta": {"total": len(documents)}})


def _link(call: Call, number: int, size: int) -> str:
    query = {**call.query, "page": number, "per_page": size}
    return f"{call.http.base_url}{call.http.path}?{urlencode(query)}"


def _natural(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and int(text) > 0 else default

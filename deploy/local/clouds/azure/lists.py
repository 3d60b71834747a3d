"""How does Azure cut a list into pages? A `nextLink` with a `$skiptoken`, until there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

PAGE_SIZE = 100


def page(call: Call, things: Sequence[Thing], document: Callable[[Thing], dict[str, Any]]) -> Answer:
    """The page after the call's `$skiptoken`, which is the number of the last thing of the page before."""
    try:
        after = int(call.query.get("$skiptoken", "0"))
    except ValueError:
        raise Refusal("invalid", "The $skiptoken is invalid.", code="InvalidSkipToken") from None
    rest = [each for each in things if each.number > after]
    body: dict[str, Any] = {"value": [document(each) for each in rest[:PAGE_SIZE]]}
    if len(rest) > PAGE_SIZE:
        query = {**call.query, "$skiptoken": rest[PAGE_SIZE - 1].number}
        body["nextLink"] = f"{call.http.base_url}{call.http.path}?{urlencode(query)}"
    return Answer(200, body)

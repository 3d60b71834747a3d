"""How does Compute Engine answer a list: `filter`, `maxResults`, `pageToken`?"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.clouds.world.provider import Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

PAGE_MAX = 500
_TERM = re.compile(r'\(?\s*([\w.-]+)\s*(!=|=|:|eq|ne)\s*(?:"([^"]*)"|([^\s"()]+))\s*\)?')


@dataclass(frozen=True)
class Rows:
    """Things by their names, to be rendered when a page or a filter needs them: 10,000 of them take a second."""

    things: Mapping[str, Thing]
    render: Callable[[Thing], Mapping[str, Any]]


def listed(call: Call, kind: str, path: str, rows: Sequence[Mapping[str, Any]] | Rows) -> Answer:
    """One page of `rows` (each with a `name`) in the order of their names. Raises Refusal `invalid`."""
    after = _read_token(call.query.get("pageToken", ""))
    size = _size(call.query.get("maxResults", str(PAGE_MAX)))
    expression = call.query.get("filter", "")
    rest: Sequence[Mapping[str, Any]]
    if isinstance(rows, Rows):
        names = sorted(name for name in rows.things if name > after)
        wanted = names if expression else names[: size + 1]
        rest = selected(expression, [rows.render(rows.things[name]) for name in wanted])
    else:
        later = [each for each in rows if str(each["name"]) > after]
        rest = sorted(selected(expression, later), key=lambda each: str(each["name"]))
    address = f"{call.http.base_url}/compute/v1/projects/{call.account.account_id}/{path}"
    document: dict[str, Any] = {"kind": kind, "id": f"projects/{call.account.account_id}/{path}", "selfLink": address}
    if rest:
        document["items"] = rest[:size]
    if len(rest) > size:
        document["nextPageToken"] = base64.urlsafe_b64encode(str(rest[size - 1]["name"]).encode()).decode()
    return Answer(200, document)


def paged(
    call: Call, rows: Sequence[Mapping[str, Any]], field: str, items: str, size_max: int, kind: str = ""
) -> Answer:
    """A page as Cloud Storage, Cloud SQL and Cloud DNS answer it: `rows` in the order of `field`, unique in them."""
    after, asked = _read_token(call.query.get("pageToken", "")), call.query.get("maxResults", "")
    size = min(size_max, int(asked) or size_max) if asked.isdecimal() else size_max
    later = sorted((each for each in rows if str(each[field]) > after), key=lambda each: str(each[field]))
    document: dict[str, Any] = {"kind": kind}
    if later:
        document[items] = later[:size]
    if len(later) > size:
        document["nextPageToken"] = base64.urlsafe_b64encode(str(later[size - 1][field]).encode()).decode()
    return Answer(200, document)


def aggregated(call: Call, kind: str, plural: str, scopes: Mapping[str, Sequence[Mapping[str, Any]]]) -> Answer:
    """The rows of all scopes (`zones/us-central1-a`), page by page; a scope without any carries Google's warning.

    Empty scopes are on the first page. A page ends in the middle of a scope: whoever reads all pages merges them.
    """
    found = [(scope, row) for scope in sorted(scopes) for row in selected(call.query.get("filter", ""), scopes[scope])]
    first, size = int(_read_token(call.query.get("pageToken", "")) or 0), _size(call.query.get("maxResults", "500"))
    items: dict[str, Any] = {}
    if first == 0:
        full = {scope for scope, _ in found}
        items = {scope: _nothing(scope) for scope in sorted(scopes) if scope not in full}
    for scope, row in found[first : first + size]:
        items.setdefault(scope, {plural: []})[plural].append(row)
    path = f"projects/{call.account.account_id}/aggregated/{plural}"
    address = f"{call.http.base_url}/compute/v1/{path}"
    document: dict[str, Any] = {"kind": kind, "id": path, "selfLink": address, "items": items}
    if first + size < len(found):
        document["nextPageToken"] = base64.urlsafe_b64encode(str(first + size).encode()).decode()
    return Answer(200, document)


def _nothing(scope: str) -> dict[str, Any]:
    message = f"There are no results for scope '{scope}' on this page."
    return {
        "warning": {
            "code": "NO_RESULTS_ON_PAGE",
            "message": message,
            "data": [{"key": "scope", "value": scope}],
        }
    }


def selected(expression: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that a filter lets through: `labels.a=b`, `status!="RUNNING"`, `name:part`, joined by AND.

    `eq` and `ne` take a regular expression that must match the whole field.
    """
    if not expression.strip():
        return list(rows)
    terms = [_TERM.fullmatch(part.strip()) for part in re.split(r"\s+AND\s+", expression)]
    if not all(terms):
        raise Refusal("invalid", f"Invalid value for field 'filter': '{expression}'. Invalid list filter expression.")
    wanted = [
        (each[1].split("."), each[2], each[4] if each[3] is None else each[3]) for each in terms if each is not None
    ]
    return [row for row in rows if all(_fits(_at(row, path), sign, value) for path, sign, value in wanted)]


def _at(row: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = row
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _fits(found: Any, sign: str, value: str) -> bool:
    if sign in {"eq", "ne"}:
        return (re.fullmatch(value, "" if found is None else str(found)) is not None) is (sign == "eq")
    if sign == ":":
        return found is not None and (value == "*" or value in str(found))
    return (found is not None and str(found) == value) is (sign == "=")


def _size(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= PAGE_MAX:
        raise Refusal("invalid", f"Invalid value for field 'maxResults': '{text}'. Must be 0 to {PAGE_MAX}.")
    return int(text) or PAGE_MAX


def _read_token(text: str) -> str:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise Refusal("invalid", "Invalid value for field 'pageToken'.") from error

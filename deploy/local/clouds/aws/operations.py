"""Which operation does a REST request ask for? Its method, path and query, read by the service's own model.

Requests of the other protocols carry their operation's name; S3, Route 53 and CloudFront have only these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

import botocore.session

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class _Route:
    """One operation: `query` are the literals of its address, `needed` the other query keys and headers it requires."""

    name: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    needed: frozenset[str]

    def weight(self, query: Mapping[str, str], given: frozenset[str]) -> int:
        """How closely the request's query and headers fit; negative when they do not."""
        literals = all(name in query and value in {"", query[name]} for name, value in self.query.items())
        return len(self.query) + len(self.needed) if literals and self.needed <= given else -1


def name_operation(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The operation's name with what its path and query say; `METHOD /path` when the service's model has no such."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    given = frozenset(asked) | frozenset(headers)
    fitting = []
    for route in _routes(service):
        found = route.path.fullmatch(path.rstrip("/") or "/") if route.method == method else None
        if found is not None and (weight := route.weight(asked, given)) >= 0:
            fitting.append((-weight, route.name, found))
    if not fitting:
        return f"{method} {path}", asked
    _, name, found = min(fitting, key=lambda each: each[:2])
    return name, {**asked, **{label: unquote(value) for label, value in found.groupdict().items()}}


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    model = botocore.session.get_session().get_service_model(service)
    return tuple(_route(model.operation_model(name)) for name in model.operation_names)


def _route(operation: botocore.model.OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    needed = {
        member.serialization["name"].lower() if member.serialization["location"] == "header"
        else member.serialization["name"]
        for name, member in (shape.members.items() if shape else ())
        if name in shape.required_members and member.serialization.get("location") in {"header", "querystring"}
    }  # fmt: skip
    return _Route(
        operation.name,
        operation.http["method"],
        re.compile(_LABEL.sub(_group, path.rstrip("/") or "/")),
        dict(parse_qsl(query, keep_blank_values=True)),
        frozenset(needed),
    )


def _group(label: re.Match[str]) -> str:
    return f"(?P<{label[1]}>.+)" if label[2] else f"(?P<{label[1]}>[^/]+)"

"""What does the published OpenAPI document say, and which values break what it says? Everything derived, nothing listed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.fixtures.stack import expect

METHODS = ("get", "post", "put", "patch", "delete")
TOO_LONG = "x" * 300_000
NUL = "a\x00b"


@dataclass(frozen=True)
class Route:
    """One operation. `body` is the resolved schema of its JSON body, None without one; `example` fits it."""

    method: str
    path: str
    parameters: tuple[str, ...]
    body: dict[str, Any] | None
    example: dict[str, Any] | None

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def at(self, **ids: str) -> str:
        return self.path.format(**ids)


class Contract:
    """The document of a running gateway."""

    def __init__(self, client: httpx.Client) -> None:
        self.document = expect(client.get("/api/schema/openapi.json"), 200)
        self.routes = [
            self._route(method, path, operation)
            for path, operations in self.document["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
        ]

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema with its own reference followed; of alternatives the first that is not null."""
        while "$ref" in schema or "anyOf" in schema:
            if "$ref" in schema:
                schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            else:
                schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        return schema

    def broken_bodies(self, route: Route) -> Iterator[tuple[str, Any]]:
        """Bodies that differ from the example in one way that the schema forbids, each with what is wrong."""
        assert route.body is not None
        example = dict(route.example or {})
        yield "another kind of document", [example]
        yield "no document", None
        yield "an unknown field", {**example, "no_such_field": 1}
        for name in route.body.get("required", []):
            yield f"{name} is missing", {key: value for key, value in example.items() if key != name}
        for name, schema in route.body["properties"].items():
            for wrong in self.wrong_values(schema):
                yield f"{name} = {str(wrong)[:40]!r}", {**example, name: wrong}

    def wrong_values(self, schema: dict[str, Any]) -> list[Any]:
        """Values that fit no alternative of a schema; none for a schema that takes anything."""
        alternatives = [self.resolved(one) for one in schema.get("anyOf", [schema])]
        kinds = {one.get("type") for one in alternatives}
        if None in kinds and not any("enum" in one or "const" in one for one in alternatives):
            return []
        wrong: list[Any] = []
        if "string" not in kinds:
            wrong.append("text that is no such thing")
        if not kinds & {"integer", "number", "boolean"}:
            wrong += [12345, True]
        if "array" not in kinds:
            wrong.append([[]])
        if "object" not in kinds:
            wrong.append({"unexpected": {}})
        if len(kinds - {"null"}) == 1:
            wrong += _out_of_range(next(one for one in alternatives if one.get("type") != "null"))
        return wrong

    def _route(self, method: str, path: str, operation: dict[str, Any]) -> Route:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        body = self.resolved(content["schema"]) if content else None
        parameters = tuple(one["name"] for one in operation.get("parameters", []) if one["in"] == "path")
        example = body.get("examples", [None])[0] if body else None
        return Route(method, path, parameters, body, example)


def _out_of_range(schema: dict[str, Any]) -> list[Any]:
    wrong: list[Any] = []
    kind = schema.get("type")
    if kind == "string":
        wrong += [TOO_LONG, NUL]
        if schema.get("minLength", 0) > 0 or "format" in schema or "enum" in schema:
            wrong.append("")
    if kind in {"integer", "number"}:
        wrong += [schema[limit] - 1 for limit in ("minimum",) if limit in schema]
        wrong += [schema[limit] for limit in ("exclusiveMinimum", "exclusiveMaximum") if limit in schema]
        wrong += [schema["maximum"] + 1 for _ in (1,) if "maximum" in schema]
    if kind == "integer":
        wrong.append(1.5)
    if kind == "array" and "maxItems" in schema:
        wrong.append([None] * (schema["maxItems"] + 1))
    return wrong

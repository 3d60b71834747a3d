"""Is a changed schema still the same contract? Equal, additive (old readers are safe), or breaking."""

from collections.abc import Iterator
from typing import Any, Literal

Verdict = Literal["equal", "additive", "breaking"]

_EXPLAINING = {"title", "description", "examples", "default"}
"""Keywords that change no body."""


def classify(old: dict[str, Any], new: dict[str, Any]) -> tuple[Verdict, list[str]]:
    """Compare two JSON Schemas of one message (serialization mode), with the reasons for `breaking`.

    Additive is a new field: readers ignore what they do not know. Breaking is a removed field, a changed type, format,
    pattern or enumeration, and a field that may now be absent.
    """
    reasons = list(_breaks(old, new, old.get("$defs", {}), new.get("$defs", {}), ""))
    if reasons:
        return "breaking", reasons
    return ("equal" if _essence(old) == _essence(new) else "additive"), []


def _breaks(
    old: dict[str, Any], new: dict[str, Any], old_defs: dict[str, Any], new_defs: dict[str, Any], path: str
) -> Iterator[str]:
    old, new = _resolved(old, old_defs), _resolved(new, new_defs)
    for keyword in ("type", "format", "pattern", "const", "enum"):
        if old.get(keyword) != new.get(keyword):
            yield f"{path or '/'}: {keyword} {old.get(keyword)!r} became {new.get(keyword)!r}"
    if len(old.get("anyOf", [])) != len(new.get("anyOf", [])):
        yield f"{path or '/'}: other alternatives"
    for index, (before, after) in enumerate(zip(old.get("anyOf", []), new.get("anyOf", []), strict=False)):
        yield from _breaks(before, after, old_defs, new_defs, f"{path}|{index}")
    if "items" in old:
        yield from _breaks(old["items"], new.get("items", {}), old_defs, new_defs, f"{path}/items")
    yield from _broken_fields(old, new, old_defs, new_defs, path)


def _broken_fields(
    old: dict[str, Any], new: dict[str, Any], old_defs: dict[str, Any], new_defs: dict[str, Any], path: str
) -> Iterator[str]:
    for field, schema in old.get("properties", {}).items():
        if field not in new.get("properties", {}):
            yield f"{path}/{field}: removed"
            continue
        yield from _breaks(schema, new["properties"][field], old_defs, new_defs, f"{path}/{field}")
    for field in set(old.get("required", [])) - set(new.get("required", [])):
        if field in new.get("properties", {}):
            yield f"{path}/{field}: may now be absent"


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return definitions[reference.rpartition("/")[2]] if reference else schema


def _essence(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _essence(value) for key, value in schema.items() if key not in _EXPLAINING}
    return [_essence(item) for item in schema] if isinstance(schema, list) else schema

"""What is not as Azure's SDKs for Front Door and role assignments have it, in an answer or a request?

`front_door_schemas.json` holds the models of azure-mgmt-cdn 14.1.0 and of azure-mgmt-authorization 4.0.0 (2022-04-01),
without their prose. The SDKs themselves are not imported: nothing of ours needs them (shared/clouds/azure/client.py).
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_TYPES: Mapping[str, type] = {"array": list, "boolean": bool, "integer": int, "object": dict, "string": str}


@cache
def _schemas() -> Any:
    return json.loads((Path(__file__).parent / "front_door_schemas.json").read_text())


def problems(schema: str, document: Any) -> list[str]:
    """Unknown and missing fields, values of another type and unknown words of an enumeration, each with its place."""
    return list(_problems({"$ref": schema}, document, schema))


def _problems(schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = _schemas()[schema["$ref"]]
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{place} is no {kind}"
    elif kind == "array":
        for number, each in enumerate(value):
            yield from _problems(schema["items"], each, f"{place}[{number}]")
    elif kind == "object":
        yield from (f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value)
        for name, each in value.items():
            part = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if part is None:
                yield f"{place}.{name} is unknown"
            else:
                yield from _problems(part, each, f"{place}.{name}")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value}"

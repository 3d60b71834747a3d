"""How is a record written in Azure's JSON, and how is it read?"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from shared.clouds.azure import names

_PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "A": ("ARecords", ("ipv4Address",)),
    "AAAA": ("AAAARecords", ("ipv6Address",)),
    "CAA": ("caaRecords", ("flags", "tag", "value")),
    "MX": ("MXRecords", ("preference", "exchange")),
    "NS": ("NSRecords", ("nsdname",)),
    "PTR": ("PTRRecords", ("ptrdname",)),
    "SRV": ("SRVRecords", ("priority", "weight", "port", "target")),
}
"""Of each type: Azure's list of its values, and the parts of one in the order of a zone file."""
_ALIAS, _ALIAS_PART = "CNAMERecord", "cname"
_TEXTS, _TEXT_PART = "TXTRecords", "value"
_TYPES = (*_PARTS, "CNAME", "TXT")
_NUMBERS = ("flags", "port", "preference", "priority", "weight")
_HOSTS = ("cname", "exchange", "nsdname", "ptrdname", "target")
_STRING_CHARACTERS_MAX = 255  # RFC 1035 3.3: of one character string


def key_of(record: Mapping[str, Any]) -> tuple[str, str]:
    return str(record["name"]), str(record["type"])


def body_of(record: Mapping[str, Any], metadata: Mapping[str, str]) -> dict[str, Any]:
    """A record set's PUT. What somebody noted at it (`metadata`) stays."""
    properties: dict[str, Any] = {"TTL": record["ttl_s"], "metadata": dict(metadata)}
    if record["target_id"] is not None:
        return {"properties": {**properties, "targetResource": {"id": record["target_id"]}}}
    return {"properties": properties | _written(str(record["type"]), list(record["values"]))}


def records_of(record_sets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records of a zone that may be changed, in one order: without SOA, its own NS and types we do not know."""
    found = []
    for each in record_sets:
        kind = str(each["type"]).rpartition("/")[2]
        if kind in _TYPES and (kind, each["name"]) != ("NS", "@"):
            found.append(_record(kind, each))
    return sorted(found, key=key_of)


def _written(kind: str, values: list[str]) -> dict[str, Any]:
    if kind == "CNAME":
        return {_ALIAS: {_ALIAS_PART: values[0]}}
    if kind == "TXT":
        return {_TEXTS: [{_TEXT_PART: _strings(each)} for each in values]}
    listed, parts = _PARTS[kind]
    split = [each.split(" ", maxsplit=len(parts) - 1) for each in values]
    return {
        listed: [
            {part: int(text) if part in _NUMBERS else text for part, text in zip(parts, texts, strict=True)}
            for texts in split
        ]
    }


def _strings(text: str) -> list[str]:
    step = _STRING_CHARACTERS_MAX
    return [text[start : start + step] for start in range(0, len(text), step)]


def _record(kind: str, record_set: Mapping[str, Any]) -> dict[str, Any]:
    properties = record_set["properties"]
    target = (properties.get("targetResource") or {}).get("id")
    return {
        "name": record_set["name"],
        "type": kind,
        "values": [] if target else sorted(_read(kind, properties)),
        "ttl_s": properties.get("TTL"),
        "target_id": None if target is None else names.canonical(target),
    }


def _read(kind: str, properties: Mapping[str, Any]) -> list[str]:
    if kind == "CNAME":
        alias = properties.get(_ALIAS)
        return [_text(_ALIAS_PART, alias[_ALIAS_PART])] if alias else []
    if kind == "TXT":
        return ["".join(each[_TEXT_PART]) for each in properties.get(_TEXTS) or []]
    listed, parts = _PARTS[kind]
    return [" ".join(_text(part, each[part]) for part in parts) for each in properties.get(listed) or []]


def _text(part: str, value: Any) -> str:
    """In the spelling of our configuration (dns_models.py)."""
    if part == "ipv6Address":
        return ipaddress.IPv6Address(value).compressed
    return str(value).removesuffix(".").lower() if part in _HOSTS else str(value)

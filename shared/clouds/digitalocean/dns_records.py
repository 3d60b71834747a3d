"""What do the records of a domain say in our words, and which changes make them say something else?

DigitalOcean has a record for each value; it reads hosts with a dot at their end and writes them without, and writes
`@` for the domain itself (dnscontrol's DigitalOcean provider; docs.digitalocean.com/reference/api, "Domain Records").
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.clouds.assets import AssetLink
from shared.clouds.digitalocean.dns_models import MARK, RECORD_TYPES

Document = Mapping[str, Any]
"""A record as DigitalOcean has it."""

_HOSTS = frozenset({"CNAME", "MX", "NS", "SRV", "CAA"})
_ADDRESSING = frozenset({"A", "AAAA", "CNAME"})


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a name and type."""

    name: str
    type: str
    text: str
    ttl_s: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """What goes, what becomes another (by the id of the record that it is now), and what comes."""

    gone: list[str]
    changed: list[tuple[str, Value]]
    new: list[Value]


def is_own(record: Document) -> bool:
    """The domain's own servers, its start of authority and our mark, which come and go with it."""
    kind, name = str(record["type"]), str(record["name"])
    return name == MARK or (name == "@" and kind in {"NS", "SOA"})


def is_plain(record: Document) -> bool:
    """Whether our configuration has words for it."""
    return record["type"] in RECORD_TYPES and not is_own(record)


def read(record: Document, domain: str) -> Value:
    kind, data = str(record["type"]), str(record["data"])
    if kind in _HOSTS and record.get("tag") != "iodef":
        data = domain if data == "@" else data.removesuffix(".").lower()
    if kind == "AAAA":
        data = ipaddress.IPv6Address(data).compressed
    parts = {
        "MX": (record.get("priority"),),
        "SRV": (record.get("priority"), record.get("weight"), record.get("port")),
        "CAA": (record.get("flags"), record.get("tag")),
    }.get(kind, ())
    return Value(str(record["name"]), kind, " ".join([*map(str, parts), data]), int(record["ttl"]))


def written(value: Value) -> dict[str, Any]:
    """What a request says of it."""
    *parts, data = value.text.split(" ") if value.type in {"MX", "SRV", "CAA"} else [value.text]
    names = {"MX": ("priority",), "SRV": ("priority", "weight", "port"), "CAA": ("flags", "tag")}.get(value.type, ())
    said = {name: part if name == "tag" else int(part) for name, part in zip(names, parts, strict=True)}
    if value.type in _HOSTS and said.get("tag") != "iodef":
        data = f"{data}."
    return {"type": value.type, "name": value.name, "data": data, "ttl": value.ttl_s, **said}


def configured(records: Iterable[Document], domain: str) -> list[dict[str, Any]]:
    """The plain records as `DomainRecord` has them, in its order."""
    sets: dict[tuple[str, str], list[Value]] = defaultdict(list)
    for each in records:
        if is_plain(each):
            value = read(each, domain)
            sets[value.name, value.type].append(value)
    return [
        {"name": name, "type": kind, "values": sorted({each.text for each in values}),
         "ttl_s": min(each.ttl_s for each in values)}
        for (name, kind), values in sorted(sets.items())
    ]  # fmt: skip


def changes(
    there: Sequence[Document], wanted: Sequence[Mapping[str, Any]], domain: str, *, and_no_others: bool
) -> Changes:
    """What makes the plain records that are there the wanted ones. A value becomes another in place where it can."""
    left = {
        Value(each["name"], each["type"], text, each["ttl_s"]): each["ttl_s"]
        for each in wanted
        for text in each["values"]
    }
    spare: list[tuple[str, Value]] = []
    changed: list[tuple[str, Value]] = []
    for each in there:
        if is_plain(each):
            value = read(each, domain)
            ttl_s = left.pop(value, None)
            if ttl_s is None:
                spare.append((str(each["id"]), value))
            elif ttl_s != value.ttl_s:
                changed.append((str(each["id"]), Value(value.name, value.type, value.text, ttl_s)))
    new: list[Value] = []
    for value in left:
        like = next((one for one in spare if (one[1].name, one[1].type) == (value.name, value.type)), None)
        if like is None or not and_no_others:
            new.append(value)
        else:
            spare.remove(like)
            changed.append((like[0], value))
    return Changes([record_id for record_id, _ in spare] if and_no_others else [], changed, new)


def links(records: Iterable[Document], domain: str) -> tuple[AssetLink, ...]:
    """What the records lead to: addresses, as the inventory shows them at things."""
    values = (read(each, domain) for each in records if each["type"] in _ADDRESSING)
    return tuple(
        AssetLink("record", each, hard=False) for each in sorted({f"address:{value.text}" for value in values})
    )

"""What do a domain's records say in our words, and which changes make them say something else?

At Linode each value is a record of its own, with a number: several of one name and type make one of ours.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.clouds.assets import AssetLink
from shared.clouds.linode.dns_models import RECORD_TYPES, service_of
from shared.clouds.linode.lists import Document

_ADDRESSING = frozenset({"A", "AAAA", "CNAME"})
_HOSTS = frozenset({"CNAME", "MX", "NS"})

Key = tuple[str, str]
"""Name and type."""


@dataclass
class Changes:
    """What is to be done, in this order: what goes, goes first, for beside a CNAME nothing may be."""

    gone: list[str] = field(default_factory=list)
    updated: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    added: list[dict[str, Any]] = field(default_factory=list)
    gone_at_last: list[str] = field(default_factory=list)


def from_linode(records: Iterable[Document], zone: str) -> list[dict[str, Any]]:
    """Records as `LinodeDnsRecord` has them, those that it has words for."""
    sets: dict[Key, list[Document]] = defaultdict(list)
    for each in records:
        if is_plain(each, zone):
            sets[_key(each, zone)].append(each)
    return [
        {
            "name": name,
            "type": kind,
            "values": sorted({_value(each) for each in found}),
            "ttl_s": max(int(each["ttl_sec"] or 0) for each in found),
        }
        for (name, kind), found in sorted(sets.items())
    ]


def is_plain(record: Document, zone: str) -> bool:
    return record["type"] in RECORD_TYPES and _key(record, zone) != ("@", "NS")


def changes(there: Sequence[Document], wanted: Sequence[Mapping[str, Any]], zone: str, *, all_of_it: bool) -> Changes:
    """What makes the plain records that are there the wanted ones; without `all_of_it`, only what is missing.

    A value that is replaced by another changes in place, so that the name never leads nowhere.
    """
    made = Changes()
    before: dict[Key, list[Document]] = defaultdict(list)
    for each in there:
        if is_plain(each, zone):
            before[_key(each, zone)].append(each)
    after = {(each["name"], each["type"]): each for each in wanted}
    for key, records in before.items():
        if key not in after and all_of_it:
            made.gone += [str(each["id"]) for each in records]
    for key, each in after.items():
        _change_set(made, before.get(key, []), each, all_of_it=all_of_it)
    return made


def _change_set(made: Changes, there: list[Document], wanted: Mapping[str, Any], *, all_of_it: bool) -> None:
    kept: dict[str, Document] = {}
    spare: list[Document] = []
    for each in there:
        value = _value(each)
        if value in wanted["values"] and value not in kept:
            kept[value] = each
        else:
            spare.append(each)
    for value in wanted["values"]:
        body = _body(wanted, value)
        if value in kept:
            if int(kept[value]["ttl_sec"] or 0) != wanted["ttl_s"] and all_of_it:
                made.updated.append((str(kept[value]["id"]), body))
        elif spare and all_of_it:
            made.updated.append((str(spare.pop(0)["id"]), body))
        else:
            made.added.append(body)
    if all_of_it:
        made.gone_at_last += [str(each["id"]) for each in spare]


def links(records: Iterable[Document]) -> tuple[AssetLink, ...]:
    """What the records lead to: addresses, as the inventory shows them at things."""
    found = {
        f"address:{str(each['target']).removesuffix('.').lower()}" for each in records if each["type"] in _ADDRESSING
    }
    return tuple(AssetLink("record", each, hard=False) for each in sorted(found))


def _key(record: Document, zone: str) -> Key:
    kind = str(record["type"])
    if kind == "SRV":
        return f"_{str(record['service']).removeprefix('_')}._{str(record['protocol']).removeprefix('_')}", kind
    name = str(record["name"] or "").lower().removesuffix(".")
    return "@" if name in {"", zone} else name.removesuffix(f".{zone}"), kind


def _value(record: Document) -> str:
    """In the spelling of our configuration (dns_models.py)."""
    kind, target = str(record["type"]), str(record["target"])
    if kind == "AAAA":
        return ipaddress.IPv6Address(target).compressed
    if kind == "CAA":
        return f"0 {record['tag']} {target}"
    if kind == "SRV":
        host = target.removesuffix(".").lower()
        return f"{record['priority']} {record['weight']} {record['port']} {host}"
    if kind in _HOSTS:
        host = target.removesuffix(".").lower()
        return f"{record['priority']} {host}" if kind == "MX" else host
    return target


def _body(wanted: Mapping[str, Any], value: str) -> dict[str, Any]:
    kind = wanted["type"]
    name = "" if wanted["name"] == "@" else wanted["name"]
    body = {"type": kind, "name": name, "target": value, "ttl_sec": wanted["ttl_s"]}
    if kind == "MX":
        priority, host = value.split(" ")
        return {**body, "priority": int(priority), "target": host}
    if kind == "CAA":
        _, tag, text = value.split(" ", maxsplit=2)
        return {**body, "tag": tag, "target": text}
    if kind == "SRV":
        priority, weight, port, host = value.split(" ")
        service, protocol = service_of(wanted["name"]) or ("", "")
        numbers = {"priority": int(priority), "weight": int(weight), "port": int(port)}
        return {**body, **numbers, "service": service, "protocol": protocol, "target": host}
    return body

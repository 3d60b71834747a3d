"""What do the records of a domain say in our words, and which of them change to say something else?

A record of Vultr's has one value; ours has all of a name and type.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.clouds.assets import AssetLink
from shared.clouds.models import TOKEN_TAG
from shared.clouds.vultr.dns_models import MARK_NAME, RECORD_TYPES

_PRIORITIZED = frozenset({"MX", "SRV"})
_HOSTS = frozenset({"CNAME", "MX", "NS", "SRV"})
_ADDRESSING = frozenset({"A", "AAAA", "CNAME"})
MARK_TTL_S = 300
_MARKED = f"{TOKEN_TAG}="


@dataclass(frozen=True, slots=True)
class Line:
    """One value, in our spelling; `name` is empty for the domain itself. `id` is empty for what is still to be made."""

    name: str
    type: str
    value: str
    ttl_s: int
    id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.name, self.type, self.value


@dataclass(frozen=True, slots=True)
class Changes:
    """What goes first, what is made, whose time to live changes, and what goes then."""

    gone_first: Sequence[Line]
    new: Sequence[Line]
    changed: Sequence[Line]
    gone: Sequence[Line]


def read(name: str, kind: str, data: str, priority: int | None, ttl_s: int, identifier: str) -> Line:
    """A line of what Vultr answers."""
    return Line(name, kind, _value(kind, data, priority), ttl_s, identifier)


def written(line: Line) -> tuple[str, int | None]:
    """The data and the priority, as Vultr has them."""
    if line.type in _PRIORITIZED:
        priority, _, rest = line.value.partition(" ")
        return rest, int(priority)
    if line.type == "TXT":
        return f'"{line.value}"', None
    if line.type == "CAA":
        flags, tag, text = line.value.split(" ", maxsplit=2)
        return f'{flags} {tag} "{text}"', None
    return line.value, None


def is_own(line: Line) -> bool:
    """The domain's own name servers, which come and go with it."""
    return line.type == "NS" and not line.name


def is_mark(line: Line) -> bool:
    return line.type == "TXT" and line.name == MARK_NAME


def is_plain(line: Line) -> bool:
    """Whether our configuration has words for it."""
    return line.type in RECORD_TYPES and not is_own(line) and line.name != MARK_NAME


def lines_of(records: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Of records as `VultrDnsRecord` has them."""
    return [
        Line("" if each["name"] == "@" else each["name"], each["type"], value, each["ttl_s"])
        for each in records
        for value in each["values"]
    ]


def records_of(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The reverse; the time to live of a name and type is the least of its lines'."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.name or "@", line.type), []).append(line)
    return [
        {
            "name": name,
            "type": kind,
            "values": sorted({each.value for each in group}),
            "ttl_s": min(each.ttl_s for each in group),
        }
        for (name, kind), group in sorted(found.items())
    ]


def changes(there: Iterable[Line], wanted: Iterable[Line], *, and_no_others: bool) -> Changes:
    """What makes the plain lines that are there the wanted ones.

    Vultr changes a record at a time, and takes one twice. So new values are made before old ones go, but where a CNAME
    comes or goes, beside which there is nothing.
    """
    before: dict[tuple[str, str, str], Line] = {}
    doubled = [each for each in there if is_plain(each) and before.setdefault(each.key, each) is not each]
    after = {each.key: each for each in wanted}
    new = [each for key, each in after.items() if key not in before]
    aliases = {each.name for each in new if each.type == "CNAME"}
    names = {each.name for each in new}
    gone = [each for key, each in before.items() if key not in after and and_no_others]
    first = [each for each in gone if each.name in aliases or (each.type == "CNAME" and each.name in names)]
    changed = [
        Line(*key, after[key].ttl_s, each.id)
        for key, each in before.items()
        if key in after and after[key].ttl_s != each.ttl_s
    ]
    rest = [each for each in gone if each not in first]
    return Changes(first, new, changed, [*rest, *doubled] if and_no_others else rest)


def mark_of(token: str) -> Line:
    """The line by which a domain is ours."""
    return Line(MARK_NAME, "TXT", f"{_MARKED}{token}", MARK_TTL_S)


def token_of(lines: Iterable[Line]) -> str | None:
    marks = sorted(each.value for each in lines if is_mark(each) and each.value.startswith(_MARKED))
    return marks[0].removeprefix(_MARKED) if marks else None


def links(lines: Iterable[Line]) -> tuple[AssetLink, ...]:
    """What the records lead to, as the inventory shows addresses at things."""
    found = {f"address:{each.value}" for each in lines if each.type in _ADDRESSING}
    return tuple(AssetLink("record", each, hard=False) for each in sorted(found))


def _value(kind: str, data: str, priority: int | None) -> str:
    """In the spelling of our configuration (dns_models.py)."""
    if kind == "TXT":
        return data.removeprefix('"').removesuffix('"')
    if kind == "CAA":
        return data.replace('"', "")
    if kind == "AAAA":
        return ipaddress.IPv6Address(data).compressed
    text = data.removesuffix(".").lower() if kind in _HOSTS else data
    return f"{priority or 0} {text}" if kind in _PRIORITIZED else text

"""How are the records of a DNS zone written, whichever cloud keeps them? As in a zone file, in one spelling."""

from __future__ import annotations

import ipaddress
import re
from typing import Protocol, TypeVar

LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = rf"({LABEL}\.)*{LABEL}\.?"
AS_THEY_ARE = frozenset({"TXT", "CAA"})
"""The types whose values end in no host, so that a dot at the end belongs to them."""


class Record(Protocol):
    """All values of one name and type."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...


_Record = TypeVar("_Record", bound=Record)


def told_apart(records: list[_Record]) -> list[_Record]:
    """In one order. Raises ValueError for two of one name and type, and for what stands beside a CNAME (RFC 1034)."""
    if len({(each.name, each.type) for each in records}) < len(records):
        raise ValueError("two have the same name and type")
    aliases = {each.name for each in records if each.type == "CNAME"}
    if any(each.name in aliases and each.type != "CNAME" for each in records):
        raise ValueError("beside a CNAME there is nothing of that name")
    return sorted(records, key=lambda each: (each.name, each.type))


def spelled(kind: str, value: str, pattern: str | None, *, as_they_are: frozenset[str] = AS_THEY_ARE) -> str:
    """A value of that type in one spelling. `pattern` is the cloud's own, of what is no address; None: it takes any.

    Raises ValueError for what is no value of that type.
    """
    if kind == "A":
        return str(ipaddress.IPv4Address(value))
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).compressed
    if pattern is not None and not re.fullmatch(pattern, value):
        raise ValueError(f"a value is not as {kind} has it")
    return value if kind in as_they_are else value.removesuffix(".")

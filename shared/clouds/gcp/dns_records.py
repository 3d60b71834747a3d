"""What do the record sets of a zone say in our words, and which changes make them say something else?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.clouds.assets import AssetLink
from shared.clouds.gcp.dns_models import RECORD_TYPES

RecordSet = Mapping[str, Any]
"""A record set as Cloud DNS has it."""

SETS_A_CHANGE_MAX = 1000  # cloud.google.com/dns/quotas: additions, and as many deletions
_HOSTS = frozenset({"CNAME", "MX", "NS", "PTR", "SRV"})
_ADDRESSING = frozenset({"A", "AAAA", "CNAME"})
_BUCKETS = "c.storage.googleapis.com"
"""Where a name leads that is a bucket's too."""
_STRING_CHARACTERS_MAX = 255  # RFC 1035 3.3: of one character string
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def is_own(record_set: RecordSet, dns_name: str) -> bool:
    """The zone's own servers and its start of authority, which come and go with it."""
    return record_set["type"] in {"NS", "SOA"} and record_set["name"] == dns_name


def is_plain(record_set: RecordSet, dns_name: str) -> bool:
    """Whether our configuration has words for it: one with a routing policy stays as it is."""
    known = record_set["type"] in RECORD_TYPES and not record_set.get("routingPolicy")
    return known and not is_own(record_set, dns_name)


def from_google(record_set: RecordSet, dns_name: str) -> dict[str, Any]:
    """A record as `CloudDnsRecord` has it; the values in one order, for they have none."""
    kind, name = str(record_set["type"]), str(record_set["name"])
    return {
        "name": "@" if name == dns_name else name.removesuffix(f".{dns_name}"),
        "type": kind,
        "values": sorted(_read(kind, str(each)) for each in record_set.get("rrdatas", [])),
        "ttl_s": record_set["ttl"],
    }


def to_google(record: Mapping[str, Any], dns_name: str) -> dict[str, Any]:
    name = dns_name if record["name"] == "@" else f"{record['name']}.{dns_name}"
    values = [_written(record["type"], each) for each in record["values"]]
    return {"name": name, "type": record["type"], "ttl": record["ttl_s"], "rrdatas": values}


def changes(
    there: Sequence[RecordSet], wanted: Sequence[Mapping[str, Any]], dns_name: str, *, and_no_others: bool
) -> Iterator[dict[str, list[RecordSet]]]:
    """What makes the plain record sets that are there the wanted ones, in as few changes as Google takes.

    A change is all or nothing, and a deletion has to quote the set as it is.
    """
    before = {_key(each): each for each in there if is_plain(each, dns_name)}
    after = {_key(each): each for each in (to_google(record, dns_name) for record in wanted)}
    new = {
        key: each
        for key, each in after.items()
        if key not in before or from_google(before[key], dns_name) != from_google(each, dns_name)
    }
    new_sets: list[RecordSet] = list(new.values())
    gone = [each for key, each in before.items() if key in new or (and_no_others and key not in after)]
    if len(gone) <= SETS_A_CHANGE_MAX and len(new) <= SETS_A_CHANGE_MAX:
        if new or gone:
            yield {"additions": new_sets, "deletions": gone}
        return
    for start in range(0, len(gone), SETS_A_CHANGE_MAX):
        yield {"additions": [], "deletions": gone[start : start + SETS_A_CHANGE_MAX]}
    yield {"additions": new_sets, "deletions": []}


def links(record_sets: Sequence[RecordSet]) -> tuple[AssetLink, ...]:
    """What the records lead to: addresses, as the inventory shows them at things, and buckets by their names."""
    found: set[str] = set()
    for each in record_sets:
        if each["type"] in _ADDRESSING:
            hosts = (str(value).removesuffix(".").lower() for value in each.get("rrdatas", []))
            name = str(each["name"]).removesuffix(".")
            found |= {f"storage:{name}" if host == _BUCKETS else f"address:{host}" for host in hosts}
    return tuple(AssetLink("record", each, hard=False) for each in sorted(found))


def _key(record_set: RecordSet) -> tuple[str, str]:
    return str(record_set["name"]), str(record_set["type"])


def _written(kind: str, value: str) -> str:
    if kind == "TXT":
        step = _STRING_CHARACTERS_MAX
        return " ".join(_quoted(value[start : start + step]) for start in range(0, len(value), step))
    if kind == "CAA":
        flags, tag, text = value.split(" ", maxsplit=2)
        return f'{flags} {tag} "{text}"'
    return f"{value}." if kind in _HOSTS else value


def _read(kind: str, value: str) -> str:
    """In the spelling of our configuration (dns_models.py)."""
    if kind == "TXT":
        return "".join(_plain(quoted) if quoted else bare for quoted, bare in _STRINGS.findall(value))
    if kind == "CAA":
        return value.replace('"', "")
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).compressed
    return value.removesuffix(".").lower() if kind in _HOSTS else value


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)

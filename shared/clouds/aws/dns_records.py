"""What do the record sets of a zone say in our words, and which changes make them say something else?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.clouds.aws.asset_models import DNS_RECORD_TYPES

RecordSet = dict[str, Any]
"""A record set as Route 53 has it."""

_ELEMENTS_A_CALL_MAX = 1000
"""ResourceRecord elements of a change batch; of an UPSERT each counts twice (Route 53 Developer Guide, "Quotas")."""
_PLAIN_KEYS = {"Name", "Type", "TTL", "ResourceRecords"}
_ESCAPED = re.compile(r"\\([0-7]{3})")
_QUOTED = re.compile(r'"([^"\\]*)"')
_ADDRESSING = {"A", "AAAA", "CNAME"}
_S3_WEBSITE = re.compile(r"s3-website[.-][a-z0-9-]+\.amazonaws\.com")


def is_own(record_set: Mapping[str, Any], sets: Sequence[Mapping[str, Any]]) -> bool:
    """The zone's own servers and its start of authority, which come and go with it. The zone is the shortest name."""
    apex = min((str(each["Name"]) for each in sets), key=len)
    return record_set["Type"] in {"NS", "SOA"} and record_set["Name"] == apex


def is_plain(record_set: Mapping[str, Any]) -> bool:
    """Whether our configuration has words for it."""
    return set(record_set) <= _PLAIN_KEYS and record_set["Type"] in DNS_RECORD_TYPES


def from_aws(record_set: Mapping[str, Any]) -> dict[str, Any]:
    """A record as `DnsRecord` has it; the values in one order, for they have none."""
    values = (str(each["Value"]) for each in record_set["ResourceRecords"])
    return {
        "name": _plain_name(record_set["Name"]),
        "type": record_set["Type"],
        "values": sorted(_unquoted(each) if record_set["Type"] == "TXT" else each for each in values),
        "ttl_s": record_set["TTL"],
    }


def to_aws(record: Mapping[str, Any]) -> RecordSet:
    values = (_quoted(each) if record["type"] == "TXT" else each for each in record["values"])
    return {
        "Name": f"{record['name']}.",
        "Type": record["type"],
        "TTL": record["ttl_s"],
        "ResourceRecords": [{"Value": each} for each in values],
    }


def changes(there: Sequence[RecordSet], wanted: Sequence[RecordSet]) -> list[dict[str, Any]]:
    """The changes that make the plain record sets that are there the wanted ones: first what goes, then what comes."""
    before = {_key(each): each for each in there if is_plain(each)}
    after = {_key(each): each for each in wanted}
    gone = [{"Action": "DELETE", "ResourceRecordSet": each} for key, each in before.items() if key not in after]
    new = [
        {"Action": "UPSERT", "ResourceRecordSet": each}
        for key, each in after.items()
        if key not in before or from_aws(before[key]) != from_aws(each)
    ]
    return gone + new


def batches(found: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """As many at once as Route 53 takes."""
    batch: list[dict[str, Any]] = []
    count = 0
    for each in found:
        weight = 2 * len(each["ResourceRecordSet"]["ResourceRecords"])
        if batch and count + weight > _ELEMENTS_A_CALL_MAX:
            yield batch
            batch, count = [], 0
        batch.append(each)
        count += weight
    if batch:
        yield batch


def name_servers(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a registrar has to be told."""
    found = (each for each in sets if each["Type"] == "NS" and is_own(each, sets))
    return sorted(str(value["Value"]).rstrip(".") for each in found for value in each.get("ResourceRecords", []))


def targets(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the records lead to: addresses, as the inventory shows them at things, and buckets by their names."""
    found: set[str] = set()
    for each in sets:
        alias = each.get("AliasTarget")
        if alias is not None:
            host = _host(alias["DNSName"])
            found.add(f"storage:{_plain_name(each['Name'])}" if _S3_WEBSITE.fullmatch(host) else f"address:{host}")
        elif each["Type"] in _ADDRESSING:
            found |= {f"address:{_host(value['Value'])}" for value in each.get("ResourceRecords", [])}
    return sorted(found)


def _key(record_set: Mapping[str, Any]) -> tuple[str, str]:
    return _plain_name(record_set["Name"]), record_set["Type"]


def _plain_name(name: str) -> str:
    r"""Route 53 writes odd characters as `\052` (Developer Guide, "DNS domain name format")."""
    return _ESCAPED.sub(lambda code: chr(int(code[1], 8)), name).rstrip(".").lower()


def _host(name: str) -> str:
    """`dualstack.` is AWS's own beginning of an alias that has addresses of both kinds."""
    return name.rstrip(".").lower().removeprefix("dualstack.")


def _quoted(value: str) -> str:
    return value if value.startswith('"') else f'"{value}"'


def _unquoted(value: str) -> str:
    """What is one string without anything to escape stands without its quotes."""
    found = _QUOTED.fullmatch(value)
    return found[1] if found else value

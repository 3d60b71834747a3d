"""What does Cost Explorer answer? The bills of an account's machines, added up by period and group.

The last two days are estimated, as AWS says of days whose bill is not closed. Nothing is told of what is still to come.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from deploy.local.clouds.aws.calls import Call
from deploy.local.clouds.aws.errors import Answer, Refusal
from deploy.local.clouds.aws.json_lists import next_page
from deploy.local.clouds.aws.price_list import LOCATIONS
from deploy.local.clouds.bills import COMPUTE, DAY_S, STORAGE, TRAFFIC, Billed, Charge, charges

METRICS = ("AmortizedCost", "BlendedCost", "NetAmortizedCost", "NetUnblendedCost", "UnblendedCost", "UsageQuantity",
           "NormalizedUsageAmount")  # fmt: skip
_DAYS_MAX = 14 * 31
_ESTIMATED_DAYS = 2
_GROUPS_A_PAGE = 5000
_SERVICES = {
    COMPUTE: "Amazon Elastic Compute Cloud - Compute", STORAGE: "EC2 - Other", TRAFFIC: "EC2 - Other",
}  # fmt: skip
_DIMENSIONS = ("SERVICE", "REGION", "USAGE_TYPE", "INSTANCE_TYPE", "LINKED_ACCOUNT")

Key = tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One charge with what it can be filtered and grouped by."""

    facts: Mapping[str, str]
    tags: Mapping[str, str]
    charge: Charge


def answer(call: Call, machines: Sequence[Billed], now_s: float) -> Answer:
    """GetCostAndUsage. Raises Refusal."""
    if call.action != "GetCostAndUsage":
        raise Refusal("UnsupportedOperation", f"The simulated Cost Explorer does not know {call.action}.")
    parameters = call.parameters
    wanted = [str(each) for each in parameters.get("Metrics", [])]
    if not wanted or set(wanted) - set(METRICS):
        raise Refusal("ValidationException", f"Metrics are some of {', '.join(METRICS)}")
    groups = [(str(each["Type"]), str(each["Key"])) for each in parameters.get("GroupBy", [])]
    if len(groups) > 2 or any(kind == "DIMENSION" and key not in _DIMENSIONS for kind, key in groups):
        raise Refusal("ValidationException", f"At most two groups are possible, of {', '.join(_DIMENSIONS)} or tags")
    found = []
    for start, end in _periods(parameters):
        lines = _lines(machines, call.account_id, start, end, now_s)
        chosen = [line for line in lines if _fits(line, parameters.get("Filter"))]
        found.append(_result(chosen, start, end, groups, wanted, now_s))
    page, token = next_page(found, parameters.get("NextPageToken"), _GROUPS_A_PAGE, "InvalidNextTokenException")
    document: dict[str, Any] = {"ResultsByTime": page, "DimensionValueAttributes": []}
    if groups:
        document["GroupDefinitions"] = [{"Type": kind, "Key": key} for kind, key in groups]
    body = json.dumps(document | ({"NextPageToken": token} if token else {})).encode()
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], body)


def _periods(parameters: Mapping[str, Any]) -> list[tuple[dt.date, dt.date]]:
    asked = parameters.get("TimePeriod") or {}
    try:
        start, end = dt.date.fromisoformat(asked["Start"]), dt.date.fromisoformat(asked["End"])
    except (KeyError, ValueError):
        raise Refusal("ValidationException", "Start and End are dates: YYYY-MM-DD") from None
    if not start < end or (end - start).days > _DAYS_MAX:
        raise Refusal("ValidationException", "Start date is after End date, or the period is too long")
    granularity = parameters.get("Granularity")
    if granularity not in {"DAILY", "MONTHLY"}:
        raise Refusal("ValidationException", "Granularity is DAILY or MONTHLY here")
    periods = []
    while start < end:
        after = (
            start + dt.timedelta(days=1)
            if granularity == "DAILY"
            else (start.replace(day=28) + dt.timedelta(4)).replace(day=1)
        )
        periods.append((start, min(after, end)))
        start = after
    return periods


def _lines(machines: Sequence[Billed], account_id: str, start: dt.date, end: dt.date, now_s: float) -> Iterator[Line]:
    """Day by day, so that a month is the sum of its days."""
    for day in range((end - start).days):
        from_s = _seconds(start) + day * DAY_S
        until_s = min(from_s + DAY_S, now_s)
        if until_s <= from_s:
            return
        for machine in machines:
            for charge in charges(machine, from_s, until_s):
                yield Line(_facts(machine, charge, account_id), machine.tags, charge)


def _facts(machine: Billed, charge: Charge, account_id: str) -> dict[str, str]:
    prefix = LOCATIONS[machine.region][1]
    usage = {COMPUTE: f"{prefix}BoxUsage:{machine.kind}", STORAGE: f"{prefix}EBS:VolumeUsage.gp3",
             TRAFFIC: f"{prefix}DataTransfer-Out-Bytes"}  # fmt: skip
    return {
        "SERVICE": _SERVICES[charge.what],
        "REGION": machine.region,
        "USAGE_TYPE": usage[charge.what],
        "INSTANCE_TYPE": machine.kind if charge.what == COMPUTE else "NoInstanceType",
        "LINKED_ACCOUNT": account_id,
    }


def _fits(line: Line, expression: Mapping[str, Any] | None) -> bool:
    if not expression:
        return True
    if "And" in expression:
        return all(_fits(line, each) for each in expression["And"])
    if "Or" in expression:
        return any(_fits(line, each) for each in expression["Or"])
    if "Not" in expression:
        return not _fits(line, expression["Not"])
    if "Dimensions" in expression:
        asked = expression["Dimensions"]
        if asked.get("Key") not in _DIMENSIONS:
            raise Refusal("ValidationException", f"Dimensions are {', '.join(_DIMENSIONS)} here")
        return line.facts[asked["Key"]] in asked.get("Values", [])
    if "Tags" in expression:
        asked = expression["Tags"]
        return line.tags.get(asked["Key"], "") in asked.get("Values", [])
    raise Refusal("ValidationException", "This filter is not one that is known here")


def _result(
    lines: Sequence[Line], start: dt.date, end: dt.date, groups: Sequence[tuple[str, str]], wanted: Sequence[str],
    now_s: float,
) -> dict[str, Any]:  # fmt: skip
    sums: dict[Key, list[Charge]] = defaultdict(list)
    for line in lines:
        sums[tuple(_name(line, kind, key) for kind, key in groups)].append(line.charge)
    estimated = _seconds(end) > now_s - _ESTIMATED_DAYS * DAY_S
    shown: dict[str, Any] = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()}, "Estimated": estimated, "Groups": [],
        "Total": {},
    }  # fmt: skip
    if not groups:
        shown["Total"] = _metrics(sums.get((), []), wanted)
    else:
        shown["Groups"] = [{"Keys": list(key), "Metrics": _metrics(sums[key], wanted)} for key in sorted(sums)]
    return shown


def _name(line: Line, kind: str, key: str) -> str:
    return f"{key}${line.tags.get(key, '')}" if kind == "TAG" else line.facts[key]


def _metrics(found: Sequence[Charge], wanted: Sequence[str]) -> dict[str, Any]:
    usd = sum((each.usd for each in found), Decimal(0))
    quantity = sum((each.quantity for each in found), Decimal(0))
    units = {len({each.what for each in found}) == 1 and found[0].what: "Hrs"} if found else {}
    amounts = {"UsageQuantity": (quantity, units.get(COMPUTE, "N/A")), "NormalizedUsageAmount": (quantity, "N/A")}
    return {name: _amount(*amounts.get(name, (usd, "USD"))) for name in wanted}


def _amount(value: Decimal, unit: str) -> dict[str, str]:
    return {"Amount": f"{value.normalize():f}" if value else "0", "Unit": unit}


def _seconds(day: dt.date) -> float:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()

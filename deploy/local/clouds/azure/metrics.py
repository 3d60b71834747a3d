"""What does Azure Monitor measure of virtual machines? The batch API, over the same load curves as everywhere."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.azure.machines import living
from deploy.local.clouds.azure.operations import time_text
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing
from deploy.local.load.series import SLOT_S, values_at

RESOURCES_MAX = 50
POINTS_MAX = 11_520
_INTERVALS_S = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600, "PT6H": 21600, "PT12H": 43200,
                "P1D": 86400}  # fmt: skip
# The name of a metric: its unit, the value of a load curve that it shows, and whether it adds up in a period.
_METRICS: Mapping[str, tuple[str, str, bool]] = {
    "Percentage CPU": ("Percent", "cpu", False),
    "Network In Total": ("Bytes", "network_in", True),
    "Network Out Total": ("Bytes", "network_out", True),
    "Available Memory Percentage": ("Percent", "memory", False),
}
_AGGREGATIONS = ("average", "total", "minimum", "maximum", "count")
_SAMPLES = 4
"""How many moments of a minute an average is made of."""


def actions() -> list[Action]:
    return [Action("POST", "/subscriptions/{sub}/metrics:getBatch", "metrics.get_batch", _batch, mutates=False)]


def _batch(call: Call) -> Answer:
    ids = [str(each) for each in call.document().get("resourceids") or []]
    if not 1 <= len(ids) <= RESOURCES_MAX:
        raise Refusal("invalid", f"The number of resources is 1 to {RESOURCES_MAX}.", code="BadRequest")
    names = call.query.get("metricnames", "").split(",")
    unknown = [each for each in names if each not in _METRICS]
    if unknown or call.query.get("metricnamespace", "").lower() != "microsoft.compute/virtualmachines":
        raise Refusal("invalid", f"Failed to find metric configuration for {', '.join(unknown)}.", code="BadRequest")
    interval_s = _INTERVALS_S.get(call.query.get("interval", "PT1M"))
    if interval_s is None:
        raise Refusal("invalid", "Invalid time grain duration.", code="BadRequest")
    start_s, end_s = _time_s(call, "starttime"), _time_s(call, "endtime")
    if not start_s < end_s or (end_s - start_s) / interval_s > POINTS_MAX:
        raise Refusal("invalid", "The time span is empty or has too many points.", code="BadRequest")
    wanted = call.query.get("aggregation", "average").lower().split(",")
    values = [_resource(call, each, names, (start_s, end_s, interval_s), wanted) for each in ids]
    return Answer(200, {"values": values})


def _time_s(call: Call, name: str) -> float:
    try:
        time = dt.datetime.fromisoformat(call.query[name])
    except (KeyError, ValueError):
        raise Refusal("invalid", f"{name} is not a time.", code="BadRequest") from None
    return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp()


def _resource(
    call: Call, identifier: str, names: list[str], span: tuple[float, float, int], wanted: list[str]
) -> dict[str, Any]:
    """A machine that there is not has no values, and no error either: the batch is answered for the others."""
    start_s, end_s, interval_s = span
    thing = living(call, identifier)
    found = [] if thing is None else [_metric(call, thing, each, span, wanted) for each in names]
    return {
        "starttime": time_text(start_s),
        "endtime": time_text(end_s),
        "interval": next(name for name, seconds in _INTERVALS_S.items() if seconds == interval_s),
        "namespace": "Microsoft.Compute/virtualMachines",
        "resourceregion": call.region,
        "resourceid": identifier,
        "value": found,
    }


def _metric(call: Call, thing: Thing, name: str, span: tuple[float, float, int], wanted: list[str]) -> dict[str, Any]:
    unit, _, _ = _METRICS[name]
    start_s, end_s, interval_s = span
    first = int(start_s // interval_s) * interval_s
    data = [_point(call, thing, name, time_s, interval_s, wanted) for time_s in range(first, int(end_s), interval_s)]
    return {
        "id": f"{thing.id}/providers/Microsoft.Insights/metrics/{re.sub(' ', '%20', name)}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": name,
        "unit": unit,
        "timeseries": [{"metadatavalues": [], "data": data}],
        "errorCode": "Success",
    }


def _point(call: Call, thing: Thing, name: str, time_s: int, interval_s: int, wanted: list[str]) -> dict[str, Any]:
    """A period that is not over, or in which the machine was not there or off, is a point without a value."""
    point: dict[str, Any] = {"timeStamp": time_text(time_s)}
    if time_s + interval_s > call.now_s or time_s < thing.created_s - interval_s or thing.state != "running":
        return point
    _, value, adds_up = _METRICS[name]
    times = [time_s + interval_s * number / _SAMPLES for number in range(_SAMPLES)]
    read = [values_at(thing.id, each, call.push_of(thing.id))[value] for each in times]
    if name == "Available Memory Percentage":
        read = [100 - each for each in read]
    mean = sum(read) / len(read)
    whole = mean * interval_s / SLOT_S if adds_up else sum(read)
    known = {"average": mean, "total": whole, "minimum": min(read), "maximum": max(read), "count": float(len(read))}
    return point | {each: round(known[each], 4) for each in _AGGREGATIONS if each in wanted}

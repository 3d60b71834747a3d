"""What does Cloud Monitoring measure of the simulated machines? A sample each minute, aligned as `timeSeries` asks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.clouds.gcp.places import DELETED
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing
from deploy.local.load.series import SLOT_S, values_at

SAMPLE_S = 60
POINTS_MAX = 100_000
NAME_LABEL = "metadata.system_labels.name"
_TERM = re.compile(r'([\w.]+)\s*=\s*(?:one_of\(([^)]*)\)|"([^"]*)")')


@dataclass(frozen=True)
class Measure:
    """A metric type: its kind, its aligner here, the value of a moment, and the labels that a filter may name."""

    kind: str
    aligner: str
    value: Callable[[Mapping[str, float]], float]
    labels: Mapping[str, str]


def _same(name: str) -> Callable[[Mapping[str, float]], float]:
    return lambda values: values[name]


def _rate(name: str) -> Callable[[Mapping[str, float]], float]:
    return lambda values: values[name] / SLOT_S


_USED: Mapping[str, str] = {"state": "used"}

MEASURES: Mapping[str, Measure] = {
    "compute.googleapis.com/instance/cpu/utilization": Measure(
        "GAUGE", "ALIGN_MEAN", lambda values: values["cpu"] / 100, {}
    ),
    "compute.googleapis.com/instance/network/received_bytes_count": Measure(
        "DELTA", "ALIGN_RATE", _rate("network_in"), {}
    ),
    "compute.googleapis.com/instance/network/sent_bytes_count": Measure(
        "DELTA", "ALIGN_RATE", _rate("network_out"), {}
    ),
    "agent.googleapis.com/memory/percent_used": Measure("GAUGE", "ALIGN_MEAN", _same("memory"), _USED),
    "agent.googleapis.com/disk/percent_used": Measure("GAUGE", "ALIGN_MEAN", _same("disk"), _USED),
    **{
        f"custom.googleapis.com/canopy/{name}": Measure("GAUGE", "ALIGN_MEAN", _same(name), {})
        for name in ("response_time_ms", "error_rate", "requests_per_second")
    },
}


def actions() -> list[Action]:
    return [Action("GET", "/v3/projects/{project}/timeSeries", "timeSeries.list", list_series)]


def list_series(call: Call) -> Answer:
    """One series for each machine, as a query is answered that groups by the machine's name."""
    wanted = _filter(call.query.get("filter", ""))
    metric = next(iter(wanted.get("metric.type", ())), "")
    measure = MEASURES.get(metric)
    if measure is None:
        raise Refusal("not_found", f'Cannot find metric(s) that match type = "{metric}".', code="NOT_FOUND")
    start_s, end_s, period_s = _window(call.query, measure)
    machines = [each for each in call.list(MACHINE) if each.state != DELETED and _is_wanted(each, wanted)]
    series = [_series(call, each, metric, measure, _windows(start_s, end_s, period_s), period_s) for each in machines]
    return Answer(200, _page(call, [each for each in series if each["points"]]))


def _filter(text: str) -> dict[str, set[str]]:
    """The values that each label may have."""
    found: dict[str, set[str]] = {}
    for name, many, one in _TERM.findall(text):
        found[name] = set(re.findall(r'"([^"]*)"', many)) if many else {one}
    return found


def _is_wanted(machine: Thing, wanted: Mapping[str, set[str]]) -> bool:
    _, zone, _, name = machine.id.split("/")
    mine = {"resource.type": "gce_instance", "resource.labels.zone": zone, NAME_LABEL: name}
    return all(mine[label] in wanted[label] for label in mine if label in wanted)


def _window(query: Mapping[str, str], measure: Measure) -> tuple[float, float, int]:
    try:
        start_s = dt.datetime.fromisoformat(query["interval.startTime"]).timestamp()
        end_s = dt.datetime.fromisoformat(query["interval.endTime"]).timestamp()
        period_s = int(query["aggregation.alignmentPeriod"].removesuffix("s"))
    except (KeyError, ValueError) as error:
        raise _bad("A time interval and an alignment period are required.") from error
    if period_s < SAMPLE_S:
        raise _bad("Field aggregation.alignmentPeriod had an invalid value: must be at least 60 seconds.")
    if start_s >= end_s:
        raise _bad("Field interval had an invalid value: the start time must be before the end time.")
    if query.get("aggregation.perSeriesAligner") != measure.aligner:
        raise _bad("Field aggregation.perSeriesAligner had an invalid value for this metric.")
    if query.get("aggregation.groupByFields") != NAME_LABEL or "aggregation.crossSeriesReducer" not in query:
        raise _bad(f"This service groups by {NAME_LABEL} only.")
    return start_s, end_s, period_s


def _windows(start_s: float, end_s: float, period_s: int) -> list[float]:
    """The ends of the aligned periods, newest first: counted back from the end of the interval."""
    count = int((end_s - start_s) // period_s)
    return [end_s - number * period_s for number in range(count)]


def _series(
    call: Call, machine: Thing, metric: str, measure: Measure, ends: Sequence[float], period_s: int
) -> dict[str, Any]:
    begun_s, stopped_s = _ran(machine, call.now_s)
    points = []
    for end_s in ends:
        samples = [
            measure.value(values_at(machine.id, time_s, call.push_of(machine.id)))
            for time_s in _sample_times(end_s - period_s, end_s)
            if begun_s <= time_s <= stopped_s
        ]
        if samples:
            times = {"startTime": _utc(end_s), "endTime": _utc(end_s)}
            if measure.kind == "DELTA":
                times["startTime"] = _utc(end_s - period_s)
            points.append({"interval": times, "value": {"doubleValue": sum(samples) / len(samples)}})
    return {
        "metric": {"type": metric},
        "resource": {"type": "gce_instance", "labels": {"project_id": machine.account}},
        "metadata": {"systemLabels": {"name": machine.facts["name"]}},
        "metricKind": "GAUGE",
        "valueType": "DOUBLE",
        "points": points,
    }


def _sample_times(start_s: float, end_s: float) -> list[float]:
    first = (start_s // SAMPLE_S + 1) * SAMPLE_S
    return [first + number * SAMPLE_S for number in range(max(0, int((end_s - first) // SAMPLE_S) + 1))]


def _ran(machine: Thing, now_s: float) -> tuple[float, float]:
    """When it was started last, and when it stopped: now, should it run."""
    begun_s = dt.datetime.fromisoformat(machine.facts["lastStartTimestamp"]).timestamp()
    if machine.state == "RUNNING":
        return begun_s, now_s
    stopped = machine.facts.get("lastStopTimestamp")
    return begun_s, dt.datetime.fromisoformat(stopped).timestamp() if stopped else begun_s - 1


def _page(call: Call, series: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Whole series, until they have `pageSize` points; the token is the number of those already answered."""
    first, size = int(call.query.get("pageToken") or 0), int(call.query.get("pageSize") or POINTS_MAX)
    chosen: list[dict[str, Any]] = []
    for each in series[first:]:
        chosen.append(each)
        if sum(len(one["points"]) for one in chosen) >= min(size, POINTS_MAX):
            break
    document: dict[str, Any] = {"unit": "1"}
    if chosen:
        document["timeSeries"] = chosen
    if first + len(chosen) < len(series):
        document["nextPageToken"] = str(first + len(chosen))
    return document


def _utc(time_s: float) -> str:
    return dt.datetime.fromtimestamp(time_s, dt.UTC).isoformat().replace("+00:00", "Z")


def _bad(message: str) -> Refusal:
    return Refusal("invalid", message, code="INVALID_ARGUMENT")

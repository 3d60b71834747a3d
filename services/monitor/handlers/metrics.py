"""What is done with metric batches? Checked, stored, judged and told in one transaction; and the questions about them.

Bad points are set aside as dead letters before the good ones are stored: one bad point must not fail a batch for ever.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter

from services.monitor.deps import Deps
from services.monitor.domain import health
from services.monitor.domain.evaluation import Point
from services.monitor.domain.metrics import (
    INTERVALS_S,
    buckets_of_days,
    check_span,
    fault_of,
    joined_summary,
    limits,
    midnight_of,
    values_of,
    whole_days,
)
from services.monitor.handlers.evaluation import Asked, answer, judge, questions_of
from services.monitor.storage import alert_rules, collections, metrics, rollups
from services.monitor.storage.health import facts_of
from shared.bus.router import Routes
from shared.bus.settle import ERROR_HEADER
from shared.db.inventory import find_resource
from shared.db.work import Work
from shared.kit.errors import NotFound
from shared.kit.ids import derived_id
from shared.messages.context import Context
from shared.messages.metrics import (
    ENCODER,
    METRIC_NAMES,
    GetMonitoringMetrics,
    GetResourceMetrics,
    MetricBatch,
    MetricPoint,
    MonitoringMetrics,
    ResourceMetrics,
    Sample,
)
from shared.messages.subjects import dead_subject, metrics_subject

routes = Routes()

SAMPLES = Counter("canopy_samples_total", "Metric samples received", ("outcome",))

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sorted:
    """The samples of some batches: rows to store, points by resource in time order, and what was set aside."""

    rows: list[metrics.Row] = field(default_factory=list)
    points: dict[UUID, list[Point]] = field(default_factory=dict)
    refused: dict[UUID, list[tuple[Sample, str]]] = field(default_factory=dict)


@routes.metric_batches
async def store_metric_batches(batches: Sequence[MetricBatch], deps: Deps) -> None:
    """Idempotent: known samples are not stored twice, and only points newer than the last judged are judged."""
    ids = list({sample.resource_id for batch in batches for sample in batch.samples})
    async with deps.database.work(Context.background()) as work:
        facts = await facts_of(work, ids)
        asked = await deps.rules.refresh(work, list({row["organization_id"] for row in facts.values()}))
    found = _sort(batches, facts, deps)
    await _set_aside(found, batches, deps)
    if not found.rows:
        return
    questions = questions_of(found.points, facts, asked)
    answers, errors = await answer(questions, deps)
    async with deps.database.work(Context.background()) as work:
        added = await metrics.add_samples(work, found.rows)
        await judge(work, found.points, facts, Asked(asked, answers), deps)
        if errors:
            await alert_rules.note_errors(work, errors)
    SAMPLES.labels("stored").inc(added)
    SAMPLES.labels("repeated").inc(len(found.rows) - added)


def _sort(batches: Sequence[MetricBatch], facts: dict[UUID, dict[str, Any]], deps: Deps) -> Sorted:
    settings = deps.settings
    allowed = limits(deps.clock.now(), settings.point_max_age_s, settings.point_max_future_s)
    owners = {each: row["organization_id"] for each, row in facts.items()}
    found = Sorted()
    for batch in batches:
        organization, provider_id = batch.organization, batch.provider_id
        for sample in batch.samples:
            resource_id = sample.resource_id
            fault = fault_of(sample, owners.get(resource_id), organization, allowed)
            if fault is not None:
                found.refused.setdefault(batch.id, []).append((sample, fault))
                continue
            values = values_of(sample)
            score = health.health_score(values[0], values[1], values[2], values[5])
            found.rows.append((resource_id, sample.time, organization, provider_id, values, score))
            found.points.setdefault(resource_id, []).append((sample.time, values, score))
    for points in found.points.values():
        if len(points) > 1:
            points.sort(key=lambda point: point[0])
    return found


async def _set_aside(found: Sorted, batches: Sequence[MetricBatch], deps: Deps) -> None:
    """One dead letter per batch with its bad samples; its id is the same when the batch comes again."""
    for batch in batches:
        refused = found.refused.get(batch.id)
        if not refused:
            continue
        reasons = Tally(reason for _, reason in refused)
        letter = msgspec.structs.replace(batch, samples=[sample for sample, _ in refused])
        headers = {
            "Nats-Msg-Id": str(derived_id(batch.id, "refused")),
            ERROR_HEADER: ", ".join(f"{count} x {reason}" for reason, count in reasons.items()),
        }
        subject = dead_subject("monitor", metrics_subject(batch.organization, batch.provider_id, batch.region))
        await deps.bus.publish(subject, ENCODER.encode(letter), headers)
        for reason, count in reasons.items():
            SAMPLES.labels(reason).inc(count)
        log.warning("samples set aside", provider=str(batch.provider_id), region=batch.region, **reasons)


@routes.request(GetResourceMetrics)
async def get_resource_metrics(request: GetResourceMetrics, deps: Deps) -> ResourceMetrics:
    check_span(request.start, request.end, request.interval)
    async with deps.database.work(Context.of(request)) as work:
        if await find_resource(work, request.resource) is None:
            raise NotFound("there is no such resource", code="resource_not_found")
        found, parts = await _measured(work, request)
    return ResourceMetrics(
        resource_id=request.resource,
        start=request.start,
        end=request.end,
        interval=request.interval,
        aggregation=request.aggregation,
        points=[MetricPoint(time=row["time"], values={name: row[name] for name in METRIC_NAMES}) for row in found],
        summary={name: joined_summary(parts, name) for name in METRIC_NAMES},
    )


async def _measured(work: Work, request: GetResourceMetrics) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The buckets, and the parts that the summary is of: the samples, and by day what is left of dropped ones."""
    span = (work, request.resource, request.start, request.end)
    found = list(await metrics.buckets(*span, INTERVALS_S[request.interval], request.aggregation))
    parts = [await metrics.summary(*span)]
    if request.interval == "1d":
        sampled = {row["time"] for row in found}
        known = await rollups.days_of(work, request.resource, *whole_days(request.start, request.end))
        days = [day for day in known if midnight_of(day["day"]) not in sampled]
        found = sorted([*buckets_of_days(days, request.aggregation), *found], key=lambda row: row["time"])
        parts += days
    return found, parts


@routes.request(GetMonitoringMetrics)
async def get_monitoring_metrics(request: GetMonitoringMetrics, deps: Deps) -> MonitoringMetrics:
    async with deps.database.work(Context.of(request)) as work:
        since = (work.now - timedelta(days=request.days)).date()
        return MonitoringMetrics(
            calls=await collections.calls_since(work, since),
            collections=await collections.states(work),
            samples_last_hour=await metrics.samples_since(work, work.now - timedelta(hours=1)),
            monitored_resources=await collections.monitored(work),
        )

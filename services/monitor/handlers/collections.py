"""How are metrics collected? One command per account and region asks for what is due and publishes batches."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from services.monitor.deps import Deps
from services.monitor.domain.metrics import Due, due_span, period_of
from services.monitor.handlers.alerts import end_monitoring_error, raise_monitoring_error
from services.monitor.storage import collections
from shared.bus.router import Routes
from shared.clouds.budget.limiter import in_background
from shared.clouds.capabilities import metrics_of
from shared.clouds.errors import CloudError
from shared.clouds.models import Credentials, MetricAnswer, MetricName, MetricQuery
from shared.kit.errors import CanopyError
from shared.kit.ids import derived_id
from shared.messages.context import Context
from shared.messages.metrics import ENCODER, CollectMetrics, MetricBatch, Sample
from shared.messages.subjects import metrics_subject
from shared.security.envelope import CannotDecrypt

routes = Routes()

QUERIES_PER_CALL = 500
SAMPLES_PER_BATCH = 500
OVERLAP_PERIODS = 2
"""Points that the provider published late are still found by the next question; known ones are dropped by their key."""
OPERATION = "metrics.query"

log = structlog.get_logger(__name__)


@routes.command(CollectMetrics)
async def collect_metrics(command: CollectMetrics, deps: Deps) -> None:
    """Collect one place. A failure is an alert and ends here: the next sweep asks again, others are not held up."""
    provider_id, region = command.aggregate_id, command.region
    context = Context.of(command)
    async with deps.database.work(context) as work:
        provider = await collections.find_provider(work, provider_id)
        await collections.begin(work, provider_id, region)
        found = await collections.resources_of(work, provider_id, region)
    if provider is None:
        return
    due = list(_due(found, provider["metrics_period_s"], deps))
    error: str | None = None
    try:
        with in_background():
            await _collect(context, provider, region, due, deps)
    except (CloudError, CanopyError, CannotDecrypt) as failure:
        error = str(failure)[:500]
        log.warning("collection failed", provider=str(provider_id), region=region, error=error)
    async with deps.database.work(context) as work:
        await collections.end(work, provider_id, region, error)
        if error is None:
            await end_monitoring_error(work, provider_id, region)
        else:
            await raise_monitoring_error(work, provider, region, error)


def _due(found: Iterable[dict[str, Any]], provider_period_s: int, deps: Deps) -> Iterable[Due]:
    now, settings = deps.clock.now(), deps.settings
    for row in found:
        period_s = period_of(provider_period_s, row["configuration"])
        span = due_span(
            row["asked_until"], row["created_at"], now, period_s, settings.publication_delay_s, settings.lookback_s
        )
        if span is not None and (row["tried_until"] is None or row["tried_until"] < span[1]):
            yield Due(row["id"], row["resource_id"], period_s, *span)


async def _collect(context: Context, provider: dict[str, Any], region: str, due: Sequence[Due], deps: Deps) -> None:
    """Ask in groups of the same span, as few calls as the provider allows; each is counted before its points leave."""
    if not due:
        return
    assert context.organization is not None
    secrets = await deps.credentials.get(context.organization, provider["id"])
    cloud = await deps.clouds.account(str(provider["id"]), provider["provider_name"], Credentials(secrets))
    for group in _groups(due):
        period_s, end = group[0].period_s, group[0].end
        start = group[0].start - timedelta(seconds=period_s * OVERLAP_PERIODS)
        queries = [MetricQuery(each.provider_resource_id, name, period_s) for each in group for name in MetricName]
        answer = await metrics_of(cloud).query(region, queries, start, end)
        async with deps.database.work(context) as work:
            await collections.count_calls(work, provider, OPERATION, answer.api_calls, answer.metrics_requested)
        await _publish(context.organization, provider["id"], region, group, answer, deps)
        async with deps.database.work(context) as work:
            partial = _partial(answer)
            await collections.asked(
                work, [(each.resource_id, end, each.provider_resource_id not in partial) for each in group]
            )


def _groups(due: Sequence[Due]) -> Iterable[list[Due]]:
    """Resources with the same period and span, at most as many as fit one call of the provider."""
    spans: dict[tuple[int, datetime, datetime], list[Due]] = {}
    for each in due:
        spans.setdefault((each.period_s, each.start, each.end), []).append(each)
    size = QUERIES_PER_CALL // len(MetricName)
    for members in spans.values():
        for first in range(0, len(members), size):
            yield members[first : first + size]


def _partial(answer: MetricAnswer) -> set[str]:
    """The provider's ids of resources of whom it left points out: they are asked again from where they were."""
    partial = {series.query.resource_id for series in answer.series if not series.complete}
    if partial:
        log.info("answer is not complete", resources=len(partial))
    return partial


async def _publish(
    organization: UUID, provider_id: UUID, region: str, group: Sequence[Due], answer: MetricAnswer, deps: Deps
) -> None:
    """Batches whose broker id says what is in them: the same collection again is stored once."""
    samples = _samples(group, answer)
    end = group[0].end.isoformat()
    for first in range(0, len(samples), SAMPLES_PER_BATCH):
        part = samples[first : first + SAMPLES_PER_BATCH]
        content = ENCODER.encode(part)
        window = f"{provider_id}:{region}:{end}:{hashlib.sha256(content).hexdigest()[:16]}"
        batch = MetricBatch(derived_id(provider_id, window), deps.clock.now(), organization, provider_id, region, part)
        subject = metrics_subject(organization, provider_id, region)
        await deps.bus.publish(subject, ENCODER.encode(batch), {"Nats-Msg-Id": window})


def _samples(group: Sequence[Due], answer: MetricAnswer) -> list[Sample]:
    """One sample per resource and time with what was published of it, in time order."""
    ours = {each.provider_resource_id: each.resource_id for each in group}
    values: dict[tuple[datetime, UUID], dict[str, float]] = {}
    for series in answer.series:
        resource_id = ours[series.query.resource_id]
        for point in series.points:
            values.setdefault((point.time, resource_id), {})[series.query.metric.value] = point.value
    ordered = sorted(values.items(), key=lambda item: item[0])
    return [Sample(resource_id=resource_id, time=time, **known) for (time, resource_id), known in ordered]

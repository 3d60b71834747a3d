"""What happens to alerts? Rules and budgets open them, people acknowledge, resolve and suppress them."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from services.monitor.deps import Deps
from services.monitor.domain.alert_rules import MONITORING_ERROR, RULE_METRICS
from services.monitor.domain.alerts import OPEN_STATUSES, Transition
from services.monitor.domain.evaluation import RuleTransition
from services.monitor.storage import alerts
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput
from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.messages.alerts import (
    AcknowledgeAlert,
    Alert,
    AlertAcknowledged,
    AlertEvent,
    AlertFired,
    AlertResolved,
    AlertSuppressed,
    GetAlert,
    ListAlerts,
    ResolveAlert,
    SuppressAlert,
)
from shared.messages.base import Page
from shared.messages.context import Context

routes = Routes()


def fingerprint_of(rule_id: UUID, resource_id: UUID) -> str:
    return f"{rule_id}:{resource_id}"


def new_alert(work: Work, **values: Any) -> dict[str, Any]:
    """The row of an alert that begins now."""
    absent = dict.fromkeys(
        ("rule_id", "description", "resource_id", "resource_name", "provider_id", "metric", "operator",
         "current_value", "threshold")
    )  # fmt: skip
    return {
        **absent, "id": new_id(), "current_values": {}, "notification_channels": [], "recipient_list": [],
        "status": "active", "triggered_at": work.now, "created_at": work.now, "updated_at": work.now, "version": 1,
        **values,
    }  # fmt: skip


async def apply_transitions(
    work: Work, transitions: Sequence[RuleTransition], facts: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Open and resolve, in the order in which it happened; each alert is told once, by whoever's row it became."""
    for transition, group in groupby(transitions, key=lambda change: change.transition):
        if transition is Transition.FIRE:
            rows = [_row(work, change, facts[change.resource_id]) for change in group]
            for row in await alerts.open_all(work, rows):
                alerts.emit(work, AlertFired, row)
        else:
            fingerprints = [fingerprint_of(each.rule.id, each.resource_id) for each in group]
            for row in await alerts.resolve_open(work, fingerprints, SYSTEM_ACTOR):
                alerts.emit(work, AlertResolved, row)


def _row(work: Work, change: RuleTransition, resource: Mapping[str, Any]) -> dict[str, Any]:
    rule, condition = change.rule, change.rule.condition
    values = {name: value for name, value in zip(RULE_METRICS, change.values, strict=True) if value is not None}
    said = condition.expression or f"{condition.metric} {condition.operator} {condition.threshold:g}"
    return new_alert(
        work,
        organization_id=change.organization_id,
        fingerprint=fingerprint_of(rule.id, change.resource_id),
        rule_id=rule.id,
        alert_name=rule.alert_name,
        description=rule.description or f"{resource['resource_name']}: {said}",
        alert_type=rule.alert_type,
        severity_level=rule.severity_level,
        resource_id=change.resource_id,
        resource_name=resource["resource_name"],
        provider_id=resource["provider_id"],
        metric=condition.metric,
        operator=condition.operator if condition.metric else None,
        current_value=change.value,
        threshold=condition.threshold,
        current_values={**values, "measured_at": change.time.isoformat()},
        notification_channels=list(rule.notification_channels),
        recipient_list=list(rule.recipient_list),
    )


def _collection_fingerprint(provider_id: UUID, region: str) -> str:
    return f"monitoring_error:{provider_id}:{region}"


async def raise_monitoring_error(work: Work, provider: Mapping[str, Any], region: str, error: str) -> None:
    """Collection failed for an account and region: told once, until it works again."""
    row = new_alert(
        work,
        organization_id=work.organization,
        fingerprint=_collection_fingerprint(provider["id"], region),
        rule_id=MONITORING_ERROR,
        alert_name=f"Metrics of {provider['display_name']} in {region} cannot be collected"[:200],
        description=error,
        alert_type="monitoring_error",
        severity_level="error",
        provider_id=provider["id"],
        current_values={"region": region, "error": error},
    )
    for stored in await alerts.open_all(work, [row]):
        alerts.emit(work, AlertFired, stored)


async def end_monitoring_error(work: Work, provider_id: UUID, region: str) -> None:
    """Collection works."""
    fingerprints = [_collection_fingerprint(provider_id, region)]
    for row in await alerts.resolve_open(work, fingerprints, SYSTEM_ACTOR, "collection works again"):
        alerts.emit(work, AlertResolved, row)


@routes.request(GetAlert)
async def get_alert(request: GetAlert, deps: Deps) -> Alert:
    async with deps.database.work(Context.of(request)) as work:
        return alerts.alert_of(await alerts.get(work, request.alert))


@routes.request(ListAlerts)
async def list_alerts(request: ListAlerts, deps: Deps) -> Page[Alert]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await alerts.page(work, request)
    return Page[Alert](items=items, next_cursor=cursor)


@routes.request(AcknowledgeAlert)
async def acknowledge_alert(request: AcknowledgeAlert, deps: Deps) -> Alert:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        await _lock_open(work, request)
        row = await alerts.change(
            work, request.alert, status="acknowledged", acknowledged_at=work.now, acknowledged_by=request.actor
        )
        alert = _record(work, AlertAcknowledged, row, "alert.acknowledge", {})
        acceptance.answer(alert)
    return alert


@routes.request(ResolveAlert)
async def resolve_alert(request: ResolveAlert, deps: Deps) -> Alert:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        await _lock_open(work, request)
        row = await alerts.change(
            work, request.alert, status="resolved", resolved_at=work.now, resolved_by=request.actor,
            resolution_notes=request.resolution_notes,
        )  # fmt: skip
        alert = _record(work, AlertResolved, row, "alert.resolve", {"resolution_notes": request.resolution_notes})
        acceptance.answer(alert)
    return alert


@routes.request(SuppressAlert)
async def suppress_alert(request: SuppressAlert, deps: Deps) -> Alert:
    if request.until.tzinfo is None or request.until <= deps.clock.now():
        raise InvalidInput("suppression ends in the past", errors=[FieldError("/until", "is a time in the future")])
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        await _lock_open(work, request)
        row = await alerts.change(work, request.alert, status="suppressed", suppressed_until=request.until)
        alert = _record(work, AlertSuppressed, row, "alert.suppress", {"until": request.until.isoformat()})
        acceptance.answer(alert)
    return alert


async def _lock_open(work: Work, request: AcknowledgeAlert | ResolveAlert | SuppressAlert) -> None:
    """Raise NotFound, Stale, or Conflict when it is over."""
    row = await alerts.lock(work, request.alert)
    request.check_version("alert", row["version"])
    if row["status"] not in OPEN_STATUSES:
        raise Conflict(f"the alert is {row['status']}", code="alert_closed")


def _record(work: Work, event: type[AlertEvent], row: dict[str, Any], action: str, details: dict[str, Any]) -> Alert:
    alert = alerts.emit(work, event, row)
    work.audit(action, alert.id, alert.version, alert.alert_name, details)
    return alert

"""What do budgets mean to alerts? A crossed threshold opens one; a new revision or period, or its removal, ends it."""

from collections.abc import Mapping
from typing import Any

from services.monitor.deps import Deps
from services.monitor.domain.alert_rules import COST_THRESHOLD
from services.monitor.domain.budgets import still_crossed
from services.monitor.handlers.alerts import new_alert
from services.monitor.storage import alerts
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.ids import SYSTEM_ACTOR
from shared.messages.alerts import AlertFired, AlertResolved
from shared.messages.budgets import BudgetDeleted, BudgetExceeded, BudgetUpdated

routes = Routes()


@routes.event(BudgetExceeded)
async def on_budget_exceeded(event: BudgetExceeded, work: Work, _deps: Deps) -> None:
    """One alert per budget, revision, threshold, basis and period, also when it was resolved in between."""
    row = _alert_of(event, work)
    known = await alerts.open_of_budget(work, event.budget_id)
    is_late = any(each["current_values"]["revision"] > event.revision for each in known)
    if is_late or await alerts.was_ever_open(work, row["fingerprint"]):
        return
    for superseded in await alerts.resolve_superseded(work, event.budget_id, event.revision, event.period_start):
        alerts.emit(work, AlertResolved, superseded)
    for stored in await alerts.open_all(work, [row]):
        alerts.emit(work, AlertFired, stored)


@routes.event(BudgetUpdated)
async def on_budget_updated(event: BudgetUpdated, work: Work, _deps: Deps) -> None:
    """What the budget of now would not say ends: a raised amount that nothing crosses is not told otherwise."""
    known = [row for row in await alerts.open_of_budget(work, event.budget.id) if _is_older(row, event)]
    over = [row["fingerprint"] for row in known if not still_crossed(row["current_values"], event.budget)]
    for row in await alerts.resolve_open(work, over, SYSTEM_ACTOR, "the budget was changed"):
        alerts.emit(work, AlertResolved, row)


def _is_older(row: Mapping[str, Any], event: BudgetUpdated) -> bool:
    """Events can come late: an older state of the budget says nothing of an alert of a newer one."""
    return bool(row["current_values"]["budget_version"] < event.budget.version)


@routes.event(BudgetDeleted)
async def on_budget_deleted(event: BudgetDeleted, work: Work, _deps: Deps) -> None:
    open_ones = [row["fingerprint"] for row in await alerts.open_of_budget(work, event.budget.id)]
    for row in await alerts.resolve_open(work, open_ones, SYSTEM_ACTOR, "the budget was deleted"):
        alerts.emit(work, AlertResolved, row)


def _alert_of(event: BudgetExceeded, work: Work) -> dict[str, Any]:
    threshold = f"{event.threshold_percent:g}"
    parts = (event.budget_id, event.revision, threshold, event.basis, event.period_start)
    return new_alert(
        work,
        organization_id=work.organization,
        fingerprint="cost_threshold:" + ":".join(str(part) for part in parts),
        rule_id=COST_THRESHOLD,
        alert_name=f"Budget {event.budget_name} at {threshold} %"[:200],
        description=f"{event.basis} spend {event.spend} of {event.budget_amount} {event.currency}",
        alert_type="cost_threshold",
        severity_level="critical" if event.threshold_percent >= 100 else "warning",
        metric=f"{event.basis}_spend",
        operator=">=",
        current_value=float(event.spend),
        threshold=float(event.budget_amount) * event.threshold_percent / 100,
        current_values={
            "budget_id": str(event.budget_id), "budget_scope": event.budget_scope, "spend": str(event.spend),
            "budget_amount": str(event.budget_amount), "currency": event.currency, "revision": event.revision,
            "threshold_percent": event.threshold_percent, "basis": event.basis,
            "budget_version": event.aggregate_version, "period_start": event.period_start,
            "period_end": event.period_end,
        },
        notification_channels=event.notification_channels,
    )  # fmt: skip

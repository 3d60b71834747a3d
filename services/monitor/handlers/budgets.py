"""What do budgets mean to alerts? A crossed threshold opens one; a new revision or period, or its removal, ends it."""

from typing import Any

from services.monitor.deps import Deps
from services.monitor.domain.rules import COST_THRESHOLD
from services.monitor.handlers.alerts import opened
from services.monitor.storage import alerts
from shared.bus.router import Routes
from shared.db.work import Work
from shared.messages.alerts import AlertFired, AlertResolved
from shared.messages.budgets import BudgetExceeded

routes = Routes()


@routes.event(BudgetExceeded)
async def on_budget_exceeded(event: BudgetExceeded, work: Work, _deps: Deps) -> None:
    """One alert per budget, revision, threshold, basis and period, also when it was resolved in between."""
    row = _alert_of(event, work)
    if await alerts.was_ever_open(work, row["fingerprint"]):
        return
    for superseded in await alerts.resolve_superseded(work, event.budget_id, event.revision, event.period_start):
        alerts.say(work, AlertResolved, superseded)
    for stored in await alerts.open_all(work, [row]):
        alerts.say(work, AlertFired, stored)


def _alert_of(event: BudgetExceeded, work: Work) -> dict[str, Any]:
    threshold = f"{event.threshold_percent:g}"
    parts = (event.budget_id, event.revision, threshold, event.basis, event.period_start)
    return opened(
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

"""Budgets: one alert per threshold and amount, which ends when it no longer says something true."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.monitor.deps import Deps
from services.monitor.jobs.alerts import end_cost_alerts
from shared.kit.ids import new_id
from shared.messages.alerts import (
    AlertFired,
    AlertResolved,
)
from shared.messages.budgets import Budget, BudgetDeleted, BudgetExceeded, BudgetUpdated
from tests.services.monitor.conftest import Fleet, now

pytestmark = pytest.mark.anyio


def exceeded(fleet: Fleet, budget: UUID, percent: float, **changes: Any) -> BudgetExceeded:
    values = {
        "budget_id": budget, "budget_name": "Shop", "budget_scope": "organization", "budget_amount": Decimal(100),
        "currency": "USD", "threshold_percent": percent, "basis": "actual", "spend": Decimal(81), "revision": 1,
        "period_start": "2026-11-01T00:00:00+00:00", "period_end": "2126-12-01T00:00:00+00:00", **changes,
    }  # fmt: skip
    return BudgetExceeded(**fleet.about(budget, 1), **values)


async def test_a_budget_that_is_exceeded_raises_one_alert_per_threshold(fleet: Fleet) -> None:
    budget = new_id()
    await fleet.services.publish(*(exceeded(fleet, budget, percent) for percent in (80, 80, 90)))
    fired = await fleet.services.events_of(AlertFired, 2)
    assert [event.alert.threshold for event in fired] == [80, 90]
    assert {event.alert.alert_type for event in fired} == {"cost_threshold"}
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 2


async def test_a_raised_budget_alerts_again_and_ends_what_its_old_amount_said(fleet: Fleet) -> None:
    budget = new_id()
    await fleet.services.publish(exceeded(fleet, budget, 80))
    old = await fleet.services.event(AlertFired)
    raised = {"budget_amount": Decimal(200), "spend": Decimal(170), "revision": 2}
    await fleet.services.publish(exceeded(fleet, budget, 80, **raised))
    new = (await fleet.services.events_of(AlertFired, 2))[1]
    assert new.alert.threshold == 160
    assert (await fleet.services.event(AlertResolved)).alert.id == old.alert.id
    await fleet.services.publish(exceeded(fleet, budget, 90), exceeded(fleet, budget, 95, **raised))
    assert (await fleet.services.events_of(AlertFired, 3))[2].alert.threshold == 190


def budget_of(event: BudgetExceeded, organization: UUID, **changes: Any) -> Budget:
    values = {
        **event.model_dump(include=set(Budget.model_fields)), "id": event.budget_id, "organization_id": organization,
        "budget_amount": 100.0, "alert_thresholds": [80.0], "current_spend": 81.0, "forecast_spend": 120.0,
        "percent_used": 81.0, "status": "at_risk", "evaluated_at": now(), "created_at": now(), "updated_at": now(),
        "version": 2, **changes,
    }  # fmt: skip
    return Budget.model_validate(values)


async def test_an_alert_ends_when_its_budget_is_raised_above_what_was_spent_or_deleted(fleet: Fleet) -> None:
    actual, forecast = exceeded(fleet, new_id(), 80), exceeded(fleet, new_id(), 80, basis="forecast")
    await fleet.services.publish(actual, forecast)
    fired = {event.alert.metric: event.alert.id for event in await fleet.services.events_of(AlertFired, 2)}

    async def update(event: BudgetExceeded, amount: float, version: int) -> None:
        budget = budget_of(event, fleet.organization, budget_amount=amount, version=version)
        await fleet.services.publish(BudgetUpdated(**fleet.about(budget.id, version), budget=budget))

    await update(actual, 1000, 1)
    await update(actual, 100, 2)
    await update(forecast, 140, 2)
    await update(actual, 140, 3)
    resolved = (await fleet.services.event(AlertResolved)).alert
    assert (resolved.id, resolved.resolution_notes) == (fired["actual_spend"], "the budget was changed")
    budget = budget_of(forecast, fleet.organization, version=3)
    await fleet.services.publish(BudgetDeleted(**fleet.about(budget.id, 3), budget=budget))
    resolved = (await fleet.services.events_of(AlertResolved, 2))[1].alert
    assert (resolved.id, resolved.resolution_notes) == (fired["forecast_spend"], "the budget was deleted")


async def test_a_budgets_alert_ends_with_its_period(fleet: Fleet, deps: Deps) -> None:
    over = {"period_end": (now() - timedelta(seconds=1)).isoformat()}
    await fleet.services.publish(exceeded(fleet, new_id(), 80, **over), exceeded(fleet, new_id(), 80))
    await fleet.services.events_of(AlertFired, 2)
    assert await end_cost_alerts(deps) == 1
    resolved = await fleet.services.event(AlertResolved)
    assert (resolved.alert.current_values["period_end"], resolved.alert.resolution_notes) == (
        over["period_end"], "the budget's period is over",
    )  # fmt: skip
    assert await end_cost_alerts(deps) == 0

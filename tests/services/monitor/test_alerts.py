"""Alerts: fire once, resolve when the load falls, never by late points."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.deps import Deps
from services.monitor.domain.alert_rules import BUILTIN_RULES, Rule, Signal, builtin_id, signal_of
from services.monitor.domain.alerts import Standing, State, Transition, step
from services.monitor.jobs.alerts import end_cost_alerts
from shared.kit.errors import Conflict, InvalidInput, NotFound, Stale
from shared.kit.ids import new_id
from shared.messages.alert_rules import Condition, CreateAlertRule, ListAlertRules, UpdateAlertRule
from shared.messages.alerts import (
    AcknowledgeAlert,
    AlertFired,
    AlertReactivated,
    AlertResolved,
    GetAlert,
    ListAlerts,
    ResolveAlert,
    SuppressAlert,
)
from shared.messages.budgets import Budget, BudgetDeleted, BudgetExceeded, BudgetUpdated
from shared.messages.metrics import Sample
from shared.messages.resources import ResourceStopped
from tests.fixtures.services import mutation
from tests.services.monitor.conftest import Fleet, now

pytestmark = pytest.mark.anyio

CPU_CRITICAL = builtin_id("cpu_utilization.critical")
START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.lists(st.sampled_from(list(Signal)), max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_fires_and_resolves_alternate_whatever_the_signals(signals: list[Signal], for_s: int, recover_s: int) -> None:
    state: State | None = None
    happened = []
    for second, signal in enumerate(signals):
        state, transition = step(state, signal, START + timedelta(seconds=second), for_s, recover_s)
        if transition is not None:
            happened.append(transition)
        is_open = state is not None and state.standing in {Standing.FIRING, Standing.RECOVERING}
        assert is_open == (bool(happened) and happened[-1] is Transition.FIRE)
    assert happened == [Transition.FIRE, Transition.RESOLVE] * (len(happened) // 2) + [Transition.FIRE] * (
        len(happened) % 2
    )


@given(st.lists(st.sampled_from([Signal.CROSSED, Signal.CLEARED]), max_size=60), st.integers(1, 10))
def test_nothing_fires_before_the_condition_held_for_its_time(signals: list[Signal], for_s: int) -> None:
    state: State | None = None
    for second, signal in enumerate(signals):
        state, transition = step(state, signal, START + timedelta(seconds=second), for_s, 0)
        if transition is Transition.FIRE:
            assert signals[max(second - for_s, 0) : second + 1] == [Signal.CROSSED] * (for_s + 1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_of_one_metric_at_most_one_builtin_rule_begins(value: float) -> None:
    for metric in {rule.condition.metric for rule in BUILTIN_RULES.values()}:
        signals = [signal_of(rule, value) for rule in BUILTIN_RULES.values() if rule.condition.metric == metric]
        assert signals.count(Signal.CROSSED) <= 1


def test_a_value_that_wavers_at_the_threshold_does_not_clear() -> None:
    rule = Rule(
        new_id(), "CPU", "performance_degradation", "warning", Condition(metric="cpu_utilization", threshold=80)
    )
    assert [signal_of(rule, value) for value in (None, 81, 80, 77, 76)] == [
        Signal.UNKNOWN, Signal.CROSSED, Signal.BETWEEN, Signal.BETWEEN, Signal.CLEARED,
    ]  # fmt: skip


async def test_a_builtin_rule_fires_once_and_resolves_when_the_load_falls(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    start = now() - timedelta(minutes=10)
    crossing = [Sample(web.id, start + timedelta(seconds=10 * each), cpu_utilization=97.0) for each in range(3)]
    await fleet.measure(crossing[0])
    fired = (await fleet.services.event(AlertFired)).alert
    assert (fired.rule_id, fired.severity_level, fired.current_value, fired.threshold) == (
        CPU_CRITICAL,
        "critical",
        97,
        95,
    )
    assert (fired.resource_id, fired.resource_name, fired.link) == (
        web.id, "web-1", f"/api/cloud/monitoring/alerts/{fired.id}",
    )  # fmt: skip
    await fleet.measure(*crossing)
    await fleet.measure(Sample(web.id, start - timedelta(minutes=1), cpu_utilization=5.0))
    await fleet.measure(Sample(web.id, start + timedelta(minutes=1), cpu_utilization=20.0))
    resolved = (await fleet.services.event(AlertResolved)).alert
    assert (resolved.id, resolved.status) == (fired.id, "resolved")
    await fleet.measure(crossing[2])
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 5)
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 1
    said = [type(event) for event in fleet.services.events if isinstance(event, AlertFired | AlertResolved)]
    assert said == [AlertFired, AlertResolved]


async def test_a_rule_of_the_organization_waits_for_its_time_and_survives_a_restart(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    condition = Condition(metric="memory_utilization", threshold=50, for_seconds=60)
    rule = await fleet.services.ask(
        CreateAlertRule(
            **mutation(fleet.context), alert_name="Memory", alert_conditions=condition, severity_level="error"
        )
    )
    start = now() - timedelta(minutes=10)
    await fleet.measure(Sample(web.id, start, memory_utilization=60.0))
    await fleet.rows("SELECT 1 FROM alert_state WHERE state = 'pending'")
    assert not [event for event in fleet.services.events if isinstance(event, AlertFired)]
    await fleet.measure(Sample(web.id, start + timedelta(seconds=60), memory_utilization=60.0))
    fired = (await fleet.services.event(AlertFired)).alert
    assert (fired.rule_id, fired.alert_name) == (rule.id, "Memory")


async def test_an_expression_rule_fires_and_a_faulty_one_only_shows_its_error(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)

    async def create(name: str, expression: str) -> None:
        condition = Condition(expression=expression)
        await fleet.services.ask(
            CreateAlertRule(**mutation(fleet.context), alert_name=name, alert_conditions=condition)
        )

    await create("good", "metrics.cpu_utilization > 10 && resource.tags.env == 'prod'")
    await create("faulty", "metrics.error_rate > 1.0")
    for expression in ("metrics.", "1 + 1", "[1].map(each, each) == [1]"):
        with pytest.raises(InvalidInput) as refused:
            await create("bad", expression)
        assert refused.value.errors[0].pointer == "/alert_conditions/expression"
    await fleet.measure(Sample(web.id, now(), cpu_utilization=20.0))
    assert (await fleet.services.event(AlertFired)).alert.alert_name == "good"
    (row,) = await fleet.rows("SELECT alert_name, last_error FROM alert_rule WHERE last_error IS NOT NULL")
    assert row.alert_name == "faulty"
    assert "error_rate" in row.last_error
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 1


async def test_a_builtin_rule_can_be_switched_off_for_one_organization(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    with pytest.raises(Conflict):
        await fleet.services.ask(UpdateAlertRule(**mutation(fleet.context), rule=CPU_CRITICAL, alert_name="mine"))
    await fleet.services.ask(UpdateAlertRule(**mutation(fleet.context), rule=CPU_CRITICAL, is_enabled=False))
    page = await fleet.services.ask(ListAlertRules(**fleet.context.envelope(now())))
    assert {rule.id: rule.is_enabled for rule in page.items}[CPU_CRITICAL] is False
    other = Fleet(fleet.services)
    theirs = other.resource(resource_name="theirs")
    await other.add(theirs)
    await fleet.rows("SELECT 1 FROM known_resource", lambda rows: len(rows) == 2)
    await fleet.measure(Sample(web.id, now(), cpu_utilization=99.0))
    await other.measure(Sample(theirs.id, now(), cpu_utilization=99.0))
    assert (await fleet.services.event(AlertFired)).alert.resource_name == "theirs"
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 2)
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 1


async def test_people_acknowledge_suppress_and_resolve_and_it_does_not_refire_meanwhile(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    start = now() - timedelta(minutes=10)
    await fleet.measure(Sample(web.id, start, cpu_utilization=97.0))
    alert = (await fleet.services.event(AlertFired)).alert
    ask = fleet.services.ask
    with pytest.raises(Stale):
        await ask(AcknowledgeAlert(**{**mutation(fleet.context), "expected_version": 7}, alert=alert.id))
    assert (await ask(AcknowledgeAlert(**mutation(fleet.context), alert=alert.id))).status == "acknowledged"
    with pytest.raises(InvalidInput):
        await ask(SuppressAlert(**mutation(fleet.context), alert=alert.id, until=now() - timedelta(minutes=1)))
    until = now() + timedelta(seconds=2)
    assert (await ask(SuppressAlert(**mutation(fleet.context), alert=alert.id, until=until))).status == "suppressed"
    assert (await fleet.services.event(AlertReactivated)).alert.status == "active"
    done = await ask(ResolveAlert(**mutation(fleet.context), alert=alert.id, resolution_notes="restarted"))
    assert (done.status, done.resolution_notes) == ("resolved", "restarted")
    with pytest.raises(Conflict):
        await ask(AcknowledgeAlert(**mutation(fleet.context), alert=alert.id))
    await fleet.measure(Sample(web.id, start + timedelta(seconds=10), cpu_utilization=98.0))
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 2)
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 1
    page = await ask(ListAlerts(**fleet.context.envelope(now()), status="resolved"))
    assert [each.id for each in page.items] == [alert.id]
    with pytest.raises(NotFound):
        await ask(GetAlert(**Fleet(fleet.services).context.envelope(now()), alert=alert.id))


async def test_a_stopped_resource_has_no_open_alert(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    await fleet.measure(Sample(web.id, now(), cpu_utilization=97.0))
    alert = (await fleet.services.event(AlertFired)).alert
    stopped = web.model_copy(update={"resource_status": "stopped", "version": 2})
    await fleet.services.publish(ResourceStopped(**fleet.about(web.id, 2), resource=stopped))
    resolved = (await fleet.services.event(AlertResolved)).alert
    assert (resolved.id, resolved.resolution_notes) == (alert.id, "the resource is stopped")


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


async def test_a_collection_that_fails_is_one_alert(fleet: Fleet) -> None:
    from shared.messages.metrics import CollectMetrics

    await fleet.add(fleet.resource())
    for _ in range(2):
        command = CollectMetrics(**fleet.about(fleet.provider_id, 1), region=fleet.region)
        await fleet.services.bus.publish(command.subject(), command.to_bytes(), {"Nats-Msg-Id": str(command.id)})
    fired = (await fleet.services.event(AlertFired)).alert
    assert (fired.alert_type, fired.provider_id) == ("monitoring_error", fleet.provider_id)
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 1

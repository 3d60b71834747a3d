"""Alerts: fire once, resolve when the load falls, never by late points."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.alert_rules import BUILTIN_RULES, Rule, Signal, builtin_id, signal_of
from services.monitor.domain.alerts import Standing, State, Transition, step
from shared.kit.errors import Conflict, InvalidInput, NotFound, Stale
from shared.kit.ids import new_id
from shared.messages.alert_rules import Condition
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


async def test_a_collection_that_fails_is_one_alert(fleet: Fleet) -> None:
    from shared.messages.metrics import CollectMetrics

    await fleet.add(fleet.resource())
    for _ in range(2):
        command = CollectMetrics(**fleet.about(fleet.provider_id, 1), region=fleet.region)
        await fleet.services.bus.publish(command.subject(), command.to_bytes(), {"Nats-Msg-Id": str(command.id)})
    fired = (await fleet.services.event(AlertFired)).alert
    assert (fired.alert_type, fired.provider_id) == ("monitoring_error", fleet.provider_id)
    assert len(await fleet.rows("SELECT 1 FROM alert")) == 1

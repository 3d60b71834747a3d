"""Alert rules: written by organizations, checked, limited, and switched off one by one."""

from datetime import timedelta
from typing import Any

import pytest

from services.monitor.domain.alert_rules import builtin_id
from shared.kit.errors import Conflict, InvalidInput
from shared.kit.ids import new_id
from shared.messages.alert_rules import Condition, CreateAlertRule, ListAlertRules, UpdateAlertRule
from shared.messages.alerts import (
    AlertFired,
    AlertResolved,
)
from shared.messages.metrics import Sample
from shared.messages.providers import ProviderAdded
from tests.fixtures.services import mutation
from tests.services.monitor.conftest import KEY_RING, Fleet, create_rule, now

pytestmark = pytest.mark.anyio

CPU_CRITICAL = builtin_id("cpu_utilization.critical")


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


async def test_a_rule_that_moves_to_another_account_ends_its_alerts_and_an_unknown_account_is_refused(
    fleet: Fleet,
) -> None:
    web = fleet.resource()
    await fleet.add(web)
    elsewhere = fleet.provider(id=new_id())
    await fleet.services.publish(ProviderAdded(**fleet.about(elsewhere.id, 1), provider=elsewhere))
    await fleet.rows("SELECT 1 FROM known_provider", lambda rows: len(rows) == 2)
    with pytest.raises(InvalidInput) as refused:
        await create_rule(fleet, provider_id=new_id())
    assert refused.value.errors[0].pointer == "/provider_id"
    rule = await create_rule(fleet, provider_id=fleet.provider_id)
    await fleet.measure(Sample(web.id, now() - timedelta(seconds=30), cpu_utilization=60.0))
    fired = await fleet.services.event(AlertFired)
    await fleet.services.ask(UpdateAlertRule(**mutation(fleet.context), rule=rule.id, provider_id=elsewhere.id))
    assert (await fleet.services.event(AlertResolved)).alert.id == fired.alert.id


async def test_an_organization_has_a_limited_number_of_rules(services: Any) -> None:

    await services.start("monitor", key_ring=KEY_RING, sweep_s=3600, alert_rules_allowed=2)
    fleet = Fleet(services)
    for _ in range(2):
        await create_rule(fleet)
    with pytest.raises(Conflict) as refused:
        await create_rule(fleet)
    assert refused.value.code == "alert_rule_limit"
    await create_rule(Fleet(services))

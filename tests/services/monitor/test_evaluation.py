"""Judgement in a crowd: thousands at once, organizations that do not wait for each other, and what goes meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast
from uuid import UUID

import pytest

from services.monitor.deps import Deps
from services.monitor.domain.alert_rules import BUILTIN_RULES, builtin_id
from services.monitor.domain.alerts import Transition
from services.monitor.domain.evaluation import RuleTransition
from services.monitor.handlers.alerts import apply_transitions
from services.monitor.handlers.evaluation import Asked, answer, judge, questions_of
from services.monitor.storage import alert_rules
from services.monitor.storage.health import facts_of
from shared.kit.ids import new_id
from shared.messages.alert_rules import Condition, DeleteAlertRule, UpdateAlertRule
from shared.messages.context import Context
from shared.messages.resources import ResourceStopped
from shared.runtime.worker import Worker
from tests.fixtures.services import mutation
from tests.services.monitor.conftest import Fleet, create_rule, now

T = TypeVar("T")

pytestmark = pytest.mark.anyio

CRITICAL = BUILTIN_RULES[builtin_id("cpu_utilization.critical")]
HIGH_CPU = (97.0, *(None,) * 7)
ENDLESS = "metrics.cpu_utilization > 50.0"


class HeldUp(Worker):
    """A worker that one expression holds up."""

    async def run(self, limit_s: float, function: Callable[..., T], *arguments: object) -> T:
        questions = cast("list[tuple[str, object]]", arguments[0])
        if ENDLESS in {expression for expression, _ in questions}:
            raise TimeoutError("gave no answer in time")
        return await super().run(limit_s, function, *arguments)


async def test_an_outage_of_thousands_opens_every_alert(fleet: Fleet) -> None:
    """One statement takes 65,535 parameters: 3,000 alerts in one insert failed, and failed again for ever."""
    database = fleet.services.database("monitor")
    transitions = [
        RuleTransition(Transition.FIRE, CRITICAL, new_id(), fleet.organization, now(), 97.0, (*HIGH_CPU, 80))
        for _ in range(3000)
    ]
    facts = {each.resource_id: {"resource_name": "web", "provider_id": fleet.provider_id} for each in transitions}
    async with database.work(Context.background()) as work:
        await apply_transitions(work, transitions, facts)
    await database.close()
    (row,) = await fleet.rows("SELECT count(*) AS opened FROM alert")
    assert row.opened == 3000


async def read(fleet: Fleet, deps: Deps, resource_id: UUID) -> tuple[dict[UUID, Any], Any]:
    """What a batch reads before it judges."""
    async with deps.database.work(Context.background()) as work:
        facts = await facts_of(work, [resource_id])
        return facts, await deps.rules.refresh(work, [fleet.organization])


async def judged(fleet: Fleet, deps: Deps, resource_id: UUID, facts: Any, asked: Asked) -> None:
    async with deps.database.work(Context.background()) as work:
        await judge(work, {resource_id: [(now(), HIGH_CPU, 80)]}, facts, asked, deps)


async def test_no_alert_begins_for_a_rule_that_went_while_its_points_were_on_the_way(fleet: Fleet, deps: Deps) -> None:
    web = fleet.resource()
    await fleet.add(web)
    rule = await create_rule(fleet)
    facts, rules = await read(fleet, deps, web.id)
    assert rule.id in {each.id for each in rules[fleet.organization]}
    await fleet.services.ask(DeleteAlertRule(**mutation(fleet.context), rule=rule.id))
    await judged(fleet, deps, web.id, facts, Asked(rules, {}))
    fired = [row.rule_id for row in await fleet.rows("SELECT rule_id FROM alert")]
    assert fired == [CRITICAL.id]


async def test_no_alert_begins_for_a_resource_that_stopped_while_its_points_were_on_the_way(
    fleet: Fleet, deps: Deps
) -> None:
    web = fleet.resource()
    await fleet.add(web)
    facts, rules = await read(fleet, deps, web.id)
    stopped = web.model_copy(update={"resource_status": "stopped", "version": 2})
    await fleet.services.publish(ResourceStopped(**fleet.about(web.id, 2), resource=stopped))
    await fleet.rows("SELECT 1 FROM known_resource WHERE resource_status = 'stopped'")
    await judged(fleet, deps, web.id, facts, Asked(rules, {}))
    assert await fleet.rows("SELECT 1 FROM alert", lambda _: True) == []


async def test_an_answer_to_an_expression_that_changed_meanwhile_is_not_used(fleet: Fleet, deps: Deps) -> None:
    web = fleet.resource()
    await fleet.add(web)
    rule = await create_rule(fleet, alert_conditions=Condition(expression="metrics.cpu_utilization > 10.0"))
    facts, rules = await read(fleet, deps, web.id)
    calm = Condition(expression="metrics.cpu_utilization > 99.0")
    await fleet.services.ask(UpdateAlertRule(**mutation(fleet.context), rule=rule.id, alert_conditions=calm))
    await judged(fleet, deps, web.id, facts, Asked(rules, {(rule.id, web.id): True}))
    assert rule.id not in {row.rule_id for row in await fleet.rows("SELECT rule_id FROM alert")}


async def test_an_expression_without_end_pauses_its_own_organization_only(fleet: Fleet, deps: Deps) -> None:
    other = Fleet(fleet.services)
    theirs, mine = other.resource(resource_name="theirs"), fleet.resource()
    await other.add(theirs)
    await fleet.add(mine)
    await fleet.rows("SELECT 1 FROM known_resource", lambda rows: len(rows) == 2)
    endless = await create_rule(fleet, alert_conditions=Condition(expression=ENDLESS))
    good = await create_rule(other, alert_conditions=Condition(expression="metrics.cpu_utilization > 10.0"))
    async with deps.database.work(Context.background()) as work:
        facts = await facts_of(work, [mine.id, theirs.id])
        rules = await deps.rules.refresh(work, [fleet.organization, other.organization])
    points = {mine.id: [(now(), HIGH_CPU, 80)], theirs.id: [(now(), HIGH_CPU, 80)]}
    deps = replace(deps, worker=HeldUp())
    questions = questions_of(points, facts, rules)
    answers, errors = await answer(questions, deps)
    assert answers == {(endless.id, mine.id): None, (good.id, theirs.id): True}
    assert "gave no answer" in str(errors[endless.id])
    assert errors[good.id] is None
    again, _ = await answer(questions, deps)
    assert again == {(good.id, theirs.id): True}
    await deps.worker.close()


async def test_a_rule_is_changed_while_a_batch_notes_its_error(fleet: Fleet, deps: Deps) -> None:
    """The batch holds the rules and wants the row; who changes the rule waits for its turn before the row."""
    rule = await create_rule(fleet, alert_conditions=Condition(expression="metrics.cpu_utilization > 99.0"))
    async with deps.database.work(Context.background()) as work:
        await alert_rules.hold(work, [fleet.organization])
        change = UpdateAlertRule(**mutation(fleet.context), rule=rule.id, alert_name="other")
        asking = asyncio.create_task(fleet.services.ask(change))
        await fleet.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        await alert_rules.note_errors(work, {rule.id: "does not compile"})
    assert (await asking).alert_name == "other"

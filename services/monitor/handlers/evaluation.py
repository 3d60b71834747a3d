"""What follows from points that were just stored? Health and alerts, in the transaction that stores them.

Rules and the state of resources can change between the reading of facts and the judgement: both are looked at again
under their locks, so that no alert begins for a rule or a resource that has just gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from services.monitor.deps import Deps
from services.monitor.domain import expressions, health
from services.monitor.domain.alert_rules import Rule
from services.monitor.domain.evaluation import Key, Outcome, Point, evaluate, expression_rules
from services.monitor.domain.metrics import known_values
from services.monitor.handlers.alerts import apply_transitions
from services.monitor.storage import alert_rules, alerts
from services.monitor.storage.health import Telemetry, lock, running_of, save
from shared.db.work import Work
from shared.messages.context import Context
from shared.messages.resources import ResourceHealthChanged

Facts = Mapping[UUID, Mapping[str, Any]]
"""The inventory's row of each resource."""
RulesOf = Mapping[UUID, tuple[Rule, ...]]
"""The rules of each organization."""
Questions = dict[UUID, list[tuple[Key, str, dict[str, Any]]]]
"""By organization: rule and resource, expression, what it may ask."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """The rules that expressions were taken from, and what they answered."""

    rules: RulesOf
    answers: Mapping[Key, bool | None]

    def still_true(self, now: RulesOf) -> dict[Key, bool | None]:
        """The answers whose organization has the same rules now: a changed expression is asked at the next point."""
        kept = {rule.id for each, found in now.items() if self.rules.get(each) is found for rule in found}
        return {key: answer for key, answer in self.answers.items() if key[0] in kept}


def questions_of(points: Mapping[UUID, Sequence[Point]], facts: Facts, rules_of: RulesOf) -> Questions:
    """What expression rules ask about the newest point of each resource that they concern."""
    asking = {each: expression_rules(found) for each, found in rules_of.items()}
    questions: Questions = {}
    for resource_id, series in points.items():
        resource = facts[resource_id]
        for rule in asking[resource["organization_id"]]:
            if rule.concerns(resource_id, resource["provider_id"]):
                activation = expressions.activation_of(known_values(series[-1][1]), resource)
                question = ((rule.id, resource_id), rule.condition.expression or "", activation)
                questions.setdefault(resource["organization_id"], []).append(question)
    return questions


async def answer(questions: Questions, deps: Deps) -> tuple[dict[Key, bool | None], dict[UUID, str | None]]:
    """The worker's answers by rule and resource, and what was wrong by rule (None: nothing).

    Each organization has the time limit for itself. Who exceeds it is not asked again for a while, and only he.
    """
    answers: dict[Key, bool | None] = {}
    errors: dict[UUID, str | None] = {}
    paused = deps.pauses.paused(questions, deps.clock.now())
    for organization, asked in questions.items():
        if organization in paused:
            continue
        for (key, _, _), (found, problem) in zip(asked, await _answers(organization, asked, deps), strict=True):
            answers[key] = found
            errors[key[0]] = errors.get(key[0]) or problem
    return answers, errors


async def _answers(
    organization: UUID, asked: list[tuple[Key, str, dict[str, Any]]], deps: Deps
) -> list[tuple[bool | None, str | None]]:
    questions = [(expression, activation) for _, expression, activation in asked]
    try:
        return await deps.worker.run(deps.settings.expression_limit_s, expressions.evaluate, questions)
    except TimeoutError as error:
        until = deps.pauses.begin(organization, deps.clock.now())
        log.warning("expressions paused", organization=str(organization), until=until.isoformat())
        problem = f"the organization's expressions together {error}: they are asked again after {until.isoformat()}"
        return [(None, problem)] * len(questions)


async def judge(work: Work, points: Mapping[UUID, Sequence[Point]], facts: Facts, asked: Asked, deps: Deps) -> None:
    """Health and rules of the running resources, by points newer than the last that was judged."""
    owners = {each: facts[each]["organization_id"] for each in points}
    organizations = list(set(owners.values()))
    await alert_rules.hold(work, organizations)
    rules_of = await deps.rules.refresh(work, organizations)
    answers = asked.still_true(rules_of)
    known = await lock(work, owners)
    running = await running_of(work, points)
    states = await alerts.states_of(work, list(running))
    outcome, changed = Outcome(), []
    for resource_id in points:
        telemetry = known[resource_id]
        last = telemetry.last_time
        fresh = [point for point in points[resource_id] if last is None or point[0] > last]
        if resource_id not in running or not fresh:
            continue
        evaluate(outcome, facts[resource_id], rules_of[owners[resource_id]], states, fresh, answers)
        _report_health(work, telemetry, fresh[-1], deps)
        changed.append(telemetry)
    await save(work, changed)
    await alerts.save_states(work, {key: (owners[key[1]], state) for key, state in outcome.states.items()})
    await apply_transitions(work, outcome.transitions, facts)


def _report_health(work: Work, telemetry: Telemetry, point: Point, deps: Deps) -> None:
    """Take the newest point; say it when status or score changed, else at most once per refresh interval."""
    time, values, score = point
    old_status, old_score = telemetry.health_status, telemetry.health_score
    telemetry.last_time, telemetry.latest = time, known_values(values)
    telemetry.health_score, telemetry.health_status = score, health.health_status(score)
    refresh = timedelta(seconds=deps.settings.health_refresh_s)
    is_same = (old_status, old_score) == (telemetry.health_status, score)
    if is_same and telemetry.reported_at is not None and work.now - telemetry.reported_at < refresh:
        return
    telemetry.health_version += 1
    telemetry.reported_at = work.now
    envelope = Context.automatic(telemetry.organization_id).about(
        telemetry.resource_id, telemetry.health_version, work.now
    )
    work.emit(
        ResourceHealthChanged(
            **envelope,
            resource_id=telemetry.resource_id,
            old_health_status=old_status,
            health_status=telemetry.health_status,
            health_score=score,
            performance_metrics={**telemetry.latest, "measured_at": time.isoformat()},
        )
    )

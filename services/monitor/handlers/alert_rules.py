"""How are alert rules kept? An organization's own are written; built-in ones are switched off and on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.monitor.deps import Deps
from services.monitor.domain import expressions
from services.monitor.domain.alert_rules import BUILTIN_RULES, Rule, check_condition
from services.monitor.domain.channels import TYPES as CHANNEL_TYPES
from services.monitor.storage import alert_rules, alerts, channels
from services.monitor.storage.collections import find_provider
from shared.bus.router import Routes
from shared.db.inventory import find_resource
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput
from shared.kit.ids import new_id
from shared.messages.alert_rules import (
    AlertRule,
    AlertRuleCreated,
    AlertRuleDeleted,
    AlertRuleEvent,
    AlertRuleUpdated,
    Condition,
    CreateAlertRule,
    DeleteAlertRule,
    GetAlertRule,
    ListAlertRules,
    UpdateAlertRule,
)
from shared.messages.alerts import AlertResolved
from shared.messages.base import Page
from shared.messages.context import Context

routes = Routes()

_FIELDS = (
    "alert_name", "description", "alert_type", "severity_level", "resource_id", "provider_id",
    "notification_channels", "recipient_list", "auto_remediation", "is_enabled",
)  # fmt: skip


@routes.request(CreateAlertRule)
async def create_alert_rule(request: CreateAlertRule, deps: Deps) -> AlertRule:
    await _check_condition(request.alert_conditions, deps)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        await _check_references(work, request.model_dump(include=set(_FIELDS)))
        values = {
            **request.model_dump(include=set(_FIELDS)), "id": new_id(), "organization_id": work.organization,
            "alert_conditions": request.alert_conditions.model_dump(), "last_error": None, "version": 1,
            "created_at": work.now, "updated_at": work.now,
        }  # fmt: skip
        await alert_rules.add(work, values, deps.settings.alert_rules_allowed)
        rule = alert_rules.alert_rule_of(values)
        _record(work, AlertRuleCreated, rule, "alert_rule.create")
        acceptance.answer(rule)
    return rule


@routes.request(UpdateAlertRule)
async def update_alert_rule(request: UpdateAlertRule, deps: Deps) -> AlertRule:
    if request.alert_conditions is not None:
        await _check_condition(request.alert_conditions, deps)
    given = {name: value for name, value in request.model_dump(include=set(_FIELDS)).items() if value is not None}
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        if request.rule in BUILTIN_RULES:
            rule = await _choose(work, request, given)
        else:
            rule = await _change(work, request, given)
        _record(work, AlertRuleUpdated, rule, "alert_rule.update")
        acceptance.answer(rule)
    return rule


async def _change(work: Work, request: UpdateAlertRule, given: dict[str, Any]) -> AlertRule:
    row = await alert_rules.lock(work, request.rule)
    request.check_version("rule", row["version"])
    values = dict(given)
    await _check_references(work, given)
    if request.alert_conditions is not None:
        values["alert_conditions"] = request.alert_conditions.model_dump()
    changed = await alert_rules.change(
        work, request.rule, {**values, "updated_at": work.now, "version": row["version"] + 1, "last_error": None}
    )
    if not changed["is_enabled"] or values.keys() & {"alert_conditions", "resource_id", "provider_id"}:
        await _end_alerts(work, request.rule, request.actor, "its rule was changed")
    return alert_rules.alert_rule_of(changed)


async def _choose(work: Work, request: UpdateAlertRule, given: dict[str, Any]) -> AlertRule:
    if set(given) - {"is_enabled"} or request.alert_conditions is not None or request.is_enabled is None:
        raise Conflict("a built-in rule can only be switched off and on", code="builtin_rule")
    before = (await alert_rules.choices(work)).get(request.rule)
    version = before["version"] if before else 1
    request.check_version("rule", version)
    await alert_rules.choose(work, request.rule, is_enabled=request.is_enabled, version=version + 1)
    if not request.is_enabled:
        await _end_alerts(work, request.rule, request.actor, "its rule was switched off")
    return _builtin(BUILTIN_RULES[request.rule], (await alert_rules.choices(work)).get(request.rule))


@routes.request(DeleteAlertRule)
async def delete_alert_rule(request: DeleteAlertRule, deps: Deps) -> AlertRule:
    if request.rule in BUILTIN_RULES:
        raise Conflict("a built-in rule can only be switched off", code="builtin_rule")
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        row = await alert_rules.lock(work, request.rule)
        request.check_version("rule", row["version"])
        await alert_rules.remove(work, request.rule)
        await _end_alerts(work, request.rule, request.actor, "its rule was deleted")
        rule = alert_rules.alert_rule_of({**row, "version": row["version"] + 1, "updated_at": work.now})
        _record(work, AlertRuleDeleted, rule, "alert_rule.delete")
        acceptance.answer(rule)
    return rule


@routes.request(GetAlertRule)
async def get_alert_rule(request: GetAlertRule, deps: Deps) -> AlertRule:
    async with deps.database.work(Context.of(request)) as work:
        builtin = BUILTIN_RULES.get(request.rule)
        if builtin is not None:
            return _builtin(builtin, (await alert_rules.choices(work)).get(request.rule))
        return alert_rules.alert_rule_of(await alert_rules.get(work, request.rule))


@routes.request(ListAlertRules)
async def list_alert_rules(request: ListAlertRules, deps: Deps) -> Page[AlertRule]:
    async with deps.database.work(Context.of(request)) as work:
        own, cursor = await alert_rules.page(work, request)
        if request.cursor is not None:
            return Page[AlertRule](items=own, next_cursor=cursor)
        chosen = await alert_rules.choices(work)
    builtin = [_builtin(rule, chosen.get(rule.id)) for rule in BUILTIN_RULES.values()]
    return Page[AlertRule](items=[*builtin, *own], next_cursor=cursor)


def _builtin(rule: Rule, choice: dict[str, Any] | None) -> AlertRule:
    return AlertRule(
        id=rule.id,
        alert_name=rule.alert_name,
        description=rule.description,
        alert_type=rule.alert_type,
        severity_level=rule.severity_level,
        alert_conditions=rule.condition,
        is_enabled=choice["is_enabled"] if choice else True,
        is_builtin=True,
        updated_at=choice["updated_at"] if choice else None,
        version=choice["version"] if choice else 1,
    )


async def _check_condition(condition: Condition, deps: Deps) -> None:
    check_condition(condition)
    if condition.expression is None:
        return
    try:
        problem = await deps.worker.run(deps.settings.expression_limit_s, expressions.check, condition.expression)
    except TimeoutError:
        problem = "takes too long to compile"
    if problem is not None:
        raise InvalidInput("the expression is not valid", errors=[FieldError("/alert_conditions/expression", problem)])


async def _check_references(work: Work, values: Mapping[str, Any]) -> None:
    """Raises InvalidInput for a resource, a provider or a channel that the organization does not have."""
    resource_id, provider_id = values.get("resource_id"), values.get("provider_id")
    if resource_id is not None and await find_resource(work, resource_id) is None:
        raise InvalidInput("unknown resource", errors=[FieldError("/resource_id", "is a resource of yours")])
    if provider_id is not None and await find_provider(work, provider_id) is None:
        raise InvalidInput("unknown provider", errors=[FieldError("/provider_id", "is a provider of yours")])
    for index, name in enumerate(values.get("notification_channels", ())):
        if name in CHANNEL_TYPES:
            continue
        try:
            known = await channels.find(work, UUID(name))
        except ValueError:
            known = None
        if known is None:
            detail = f"is the id of a channel, or one of {', '.join(CHANNEL_TYPES)}"
            raise InvalidInput("unknown channel", errors=[FieldError(f"/notification_channels/{index}", detail)])


async def _end_alerts(work: Work, rule_id: UUID, actor: str, notes: str) -> None:
    """What a rule said no longer holds when the rule is another."""
    for row in await alerts.resolve_where(work, actor, notes, rule_id=rule_id):
        alerts.emit(work, AlertResolved, row)
    await alerts.drop_states(work, rule_id=rule_id)


def _record(work: Work, event: type[AlertRuleEvent], rule: AlertRule, action: str) -> None:
    work.emit(event(**work.about(rule.id, rule.version), rule=rule))
    work.audit(action, rule.id, rule.version, rule.alert_name)

"""How are plans made, read and changed? With a plan come the backups of its resources."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from services.recovery.deps import Deps
from services.recovery.domain.backups import INTERVALS
from services.recovery.domain.plans import (
    DEFAULT_RTO_MINUTES,
    TERMINATED,
    Scope,
    problems_of,
    readiness_of,
    retention_of,
    success_rate,
)
from services.recovery.storage import backups, configurations, drills, plans, providers, resources
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput
from shared.kit.ids import new_id
from shared.messages.base import Mutation, Page
from shared.messages.context import Context
from shared.messages.plans import (
    BackupStrategy,
    CreatePlan,
    GetPlan,
    GetRecoveryStatus,
    ListPlans,
    Plan,
    PlanCreated,
    PlanReadiness,
    PlanUpdated,
    RecoveryStatus,
    UpdatePlan,
)

routes = Routes()

SCOPE = TypeAdapter(Scope)
_ENVELOPE = {*Mutation.model_fields, "type", "plan_id"}
_SCOPE = {"primary_region", "disaster_recovery_regions", "resources", "backup_strategy"}


@routes.request(CreatePlan)
async def create_plan(request: CreatePlan, deps: Deps) -> Plan:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        values = _values(request, request.plan_type)
        await _refuse_problems(work, values)
        row = await plans.add(work, {"id": new_id(), "status": "active", **values})
        if row is None:
            raise Conflict("another plan has this name", code="plan_name_taken")
        await _set_up_backups(work, row)
        plan = plans.plan_of(row)
        work.emit(PlanCreated(**work.about(plan.id, plan.version), plan=plan))
        _audit(work, plan, "plan.create", values)
        acceptance.answer(plan)
    return plan


@routes.request(UpdatePlan)
async def update_plan(request: UpdatePlan, deps: Deps) -> Plan:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        before = await plans.lock(work, request.plan_id)
        request.check_version("plan", before["version"])
        values = _values(request, request.plan_type or before["plan_type"])
        if "status" in values and await drills.running_of(work, request.plan_id) is not None:
            raise Conflict("the plan is being tested; set its status afterwards", code="plan_in_test")
        if _SCOPE & set(values):
            await _refuse_problems(work, {**before, **values})
        try:
            row = await plans.change(work, request.plan_id, **values)
        except IntegrityError:
            raise Conflict("another plan has this name", code="plan_name_taken") from None
        if (_SCOPE | {"status"}) & set(values):
            await _set_up_backups(work, row)
        plan = plans.plan_of(row)
        work.emit(PlanUpdated(**work.about(plan.id, plan.version), plan=plan))
        _audit(work, plan, "plan.update", values)
        acceptance.answer(plan)
    return plan


@routes.request(GetPlan)
async def get_plan(request: GetPlan, deps: Deps) -> Plan:
    async with deps.database.work(Context.of(request)) as work:
        return plans.plan_of(await plans.get(work, request.plan_id))


@routes.request(ListPlans)
async def list_plans(request: ListPlans, deps: Deps) -> Page[Plan]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await plans.page(work, request)
    return Page[Plan](items=items, next_cursor=cursor)


@routes.request(GetRecoveryStatus)
async def get_recovery_status(request: GetRecoveryStatus, deps: Deps) -> RecoveryStatus:
    async with deps.database.work(Context.of(request)) as work:
        told = [await _readiness(work, row) for row in await plans.all_of(work)]
        overall = "unknown" if not told else "ready" if all(each.ready for each in told) else "at_risk"
        return RecoveryStatus.model_validate(
            {
                "overall_status": overall,
                "total_plans": len(told),
                "active_plans": sum(each.status in {"active", "testing"} for each in told),
                "plans": told,
                "as_of": work.now,
            }
        )


async def _readiness(work: Work, row: Mapping[str, Any]) -> PlanReadiness:
    plan = plans.plan_of(row)
    region = plan.disaster_recovery_regions[0].region_code
    points = backups.newest_points(await backups.newest_usable(work, plan.resources, region))
    objectives = plan.recovery_objectives
    found = readiness_of(plan.resources, points, objectives.rpo_minutes, work.now)
    reasons = list(found.reasons)
    if plan.status not in {"active", "testing"}:
        reasons.append(f"the plan is {plan.status}")
    overdue = plan.next_test_due is not None and plan.next_test_due < work.now
    return PlanReadiness(
        plan_id=plan.id, plan_name=plan.plan_name, status=plan.status, ready=not reasons, reasons=reasons,
        resources=len(plan.resources), protected_resources=found.protected,
        newest_common_recovery_point=found.recovery_point, current_data_loss_s=found.data_loss_s,
        rpo_objective_minutes=objectives.rpo_minutes, rpo_met=found.rpo_met,
        rto_objective_minutes=objectives.rto_minutes or DEFAULT_RTO_MINUTES[plan.plan_type],
        last_measured_rto_s=row["last_measured_rto_s"], last_tested=plan.last_tested,
        next_test_due=plan.next_test_due, test_overdue=overdue,
        test_success_rate=success_rate(row["tests_passed"], row["tests"]),
    )  # fmt: skip


def _values(request: CreatePlan | UpdatePlan, plan_type: str) -> dict[str, Any]:
    """The columns that a request sets: those it gives; the recovery time that it leaves open is its type's."""
    given = request.model_dump(mode="json", exclude=_ENVELOPE, exclude_none=isinstance(request, UpdatePlan))
    if request.resources is not None:
        given["resources"] = list(request.resources)
    if "recovery_objectives" in given and given["recovery_objectives"].get("rto_minutes") is None:
        given["recovery_objectives"]["rto_minutes"] = DEFAULT_RTO_MINUTES[plan_type]
    return given


async def _refuse_problems(work: Work, values: Mapping[str, Any]) -> None:
    scope = SCOPE.validate_python(
        {
            "primary": values["primary_region"],
            "regions": values["disaster_recovery_regions"],
            "resources": values["resources"],
            "strategy": values["backup_strategy"],
        }
    )
    known = await resources.known(work, scope.resources)
    problems: list[FieldError] = problems_of(scope, known, await providers.known(work))
    if problems:
        raise InvalidInput("the plan refers to what is not there or does not fit", errors=problems)


async def _set_up_backups(work: Work, row: Mapping[str, Any]) -> None:
    """One configuration per resource; a resource without one begins its first backup at once."""
    strategy = BackupStrategy.model_validate(row["backup_strategy"])
    known = await resources.known(work, row["resources"])
    destinations = [region["region_code"] for region in row["disaster_recovery_regions"]]
    await configurations.disable_others(work, row["id"], row["resources"])
    for resource_id in row["resources"]:
        resource = known.get(resource_id)
        if resource is None or resource["resource_status"] == TERMINATED:
            continue
        configuration = await configurations.put(
            work,
            row["id"],
            resource_id,
            {
                "backup_type": "snapshot",
                "frequency": strategy.frequency,
                "retention": retention_of(strategy).model_dump(mode="json"),
                "destinations": destinations,
                "encryption": strategy.encryption,
                "compression": strategy.compression,
                "status": "active" if row["status"] in {"active", "testing"} else "paused",
                "next_run_at": work.now + INTERVALS[strategy.frequency],
            },
        )
        if configuration["version"] == 1 and configuration["status"] == "active":
            await backups.start_of(work, configuration, resource)


def _audit(work: Work, plan: Plan, action: str, values: Mapping[str, Any]) -> None:
    details = {"fields": sorted(values), "resources": [str(each) for each in plan.resources]}
    work.audit(action, plan.id, plan.version, plan.plan_name, details)

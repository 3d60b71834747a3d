"""How is a plan tested? By restoring it in isolation, measuring, and removing everything again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.recovery.deps import Deps
from services.recovery.domain.drills import Measured, Report, Target, report_of, target_of
from services.recovery.domain.plans import DEFAULT_RTO_MINUTES
from services.recovery.handlers.restoration import Restoration
from services.recovery.storage import backups, drills, plans, resources
from shared.bus.router import Routes
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import Conflict
from shared.kit.ids import new_id
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.drills import (
    AcceptedDrill,
    Drill,
    DrillCompleted,
    DrillFailed,
    DrillStarted,
    GetDrill,
    ListDrills,
    RestoredResource,
    RunDrill,
    StartDrill,
)
from shared.messages.plans import PlanUpdated

routes = Routes()

TARGETS = TypeAdapter(list[Target])

ISOLATION = (
    "a security group of its own that no rule opens (nothing in, nothing out), no instance role; "
    "everything carries the tag canopy:drill"
)


async def drill_failed(work: Work, command: RunDrill, error: dict[str, Any], deps: Deps) -> None:
    """The drill itself broke; what it made was removed, or is listed."""
    row = await drills.get(work, command.aggregate_id)
    issues = [f"{error.get('step') or 'the drill'}: {error.get('detail') or error.get('title')}"]
    report = _report(row, [], issues=issues)
    await _finish(work, row, report, [], deps, error=error)


@routes.saga(RunDrill, kind="drill.run", target_type="drill", total=10, on_failure=drill_failed)
async def run_drill(saga: Saga, command: RunDrill, deps: Deps) -> dict[str, Any]:
    """Choose backups, create the isolating security group, restore in it, verify, remove everything, report."""

    async def choose(work: Work) -> Any:
        return TARGETS.dump_python(await _choose(work, command.aggregate_id), mode="json")

    targets = TARGETS.validate_python(await saga.apply("choose backups", choose))
    async with saga.work() as work:
        row = await drills.get(work, command.aggregate_id)
    restoration = Restoration(
        saga, deps, row["id"], UUID(row["region"]["provider_id"]), row["region"]["region_code"], row["started_at"],
        targets,
    )  # fmt: skip
    await restoration.run()
    await restoration.clean()

    async def report(work: Work) -> dict[str, Any]:
        now = await drills.get(work, row["id"])
        found = _report(
            now, targets, issues=restoration.issues, checks=restoration.checks, restored=restoration.told(),
            verified_at=restoration.verified_at, untested=await _untested_regions(work, now),
        )  # fmt: skip
        drill = await _finish(work, now, found, restoration.told(), deps, verified_at=restoration.verified_at)
        return drill.model_dump(mode="json", exclude={"organization_id", "version", "created_at", "updated_at"})

    result: dict[str, Any] = await saga.apply("report", report)
    return result


async def _choose(work: Work, drill_id: UUID) -> list[Target]:
    row = await drills.get(work, drill_id)
    plan = await plans.get(work, row["plan_id"])
    region = row["region"]["region_code"]
    known = await resources.known(work, plan["resources"])
    newest = await backups.newest_usable(work, plan["resources"], region)
    return [target_of(each, known.get(each), newest.get(each), region) for each in plan["resources"]]


async def _untested_regions(work: Work, row: Mapping[str, Any]) -> list[str]:
    plan = await plans.get(work, row["plan_id"])
    codes = [region["region_code"] for region in plan["disaster_recovery_regions"]]
    return [code for code in codes if code != row["region"]["region_code"]]


def _report(
    row: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    issues: Sequence[str],
    checks: Sequence[Any] = (),
    restored: Sequence[RestoredResource] = (),
    verified_at: datetime | None = None,
    untested: Sequence[str] = (),
) -> Report:
    left = [f"{each['kind']} {each['token']} in {each['region']}" for each in row["not_cleaned"].values()]
    return report_of(
        Measured(
            started_at=row["started_at"], verified_at=verified_at, rto_minutes=row["rto_objective_minutes"],
            rpo_minutes=row["rpo_objective_minutes"], targets=targets, checks=checks, issues=issues,
            restored=restored, not_cleaned=left, untested_regions=untested,
        )
    )  # fmt: skip


async def _finish(
    work: Work,
    row: Mapping[str, Any],
    report: Report,
    restored: Sequence[RestoredResource],
    deps: Deps,
    *,
    verified_at: datetime | None = None,
    error: dict[str, Any] | None = None,
) -> Drill:
    """Write the report, let the plan remember it, and tell both: one transaction."""
    stored = _stored(report, restored, deps.settings.durations_note)
    status = "completed" if report.successful else "failed"
    drill = drills.drill_of(
        await drills.finish(work, row["id"], status=status, report=stored, verified_at=verified_at, error=error)
    )
    told = DrillCompleted if report.successful else DrillFailed
    work.emit(told(**work.about(drill.id, drill.version), drill=drill))
    work.audit("drill.finish", drill.id, drill.version, drill.plan_name, {"test_successful": report.successful})
    before = await plans.lock(work, row["plan_id"])
    changes: dict[str, Any] = {
        "last_tested": work.now, "tests": before["tests"] + 1,
        "tests_passed": before["tests_passed"] + report.successful,
        "status": "active" if before["status"] == "testing" else before["status"],
    }  # fmt: skip
    if report.rto_s is not None:
        changes["last_measured_rto_s"] = report.rto_s
    plan = plans.plan_of(await plans.change(work, row["plan_id"], **changes))
    work.emit(PlanUpdated(**work.about(plan.id, plan.version), plan=plan))
    return drill


def _stored(report: Report, restored: Sequence[RestoredResource], note: str | None) -> dict[str, Any]:
    """The report as the row keeps it: one record, both spellings of the seeds (requirements C34)."""
    return {
        "test_successful": report.successful,
        "success": report.successful,
        "actual_rto_s": report.rto_s,
        "rto_actual_minutes": _minutes(report.rto_s),
        "actual_rpo_s": report.rpo_s,
        "rpo_actual_minutes": _minutes(report.rpo_s),
        "data_loss_window_s": report.rpo_s,
        "issues_identified": report.issues,
        "recommendations": report.recommendations,
        "checks": [check.model_dump(mode="json") for check in report.checks],
        "not_checked": report.not_checked,
        "restored": [each.model_dump(mode="json") for each in restored],
        "isolation": ISOLATION,
        "environment_note": note,
    }


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 2)


@routes.request(StartDrill)
async def start_drill(request: StartDrill, deps: Deps) -> AcceptedDrill:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        plan = await plans.lock(work, request.plan_id)
        if await drills.running_of(work, request.plan_id) is not None:
            raise Conflict("the plan is being tested already", code="drill_running")
        if plan["status"] != "active":
            raise Conflict(f"the plan is {plan['status']}; only an active plan is tested", code="plan_not_active")
        row = await drills.add(work, {"id": new_id(), **_drill_values(plan)})
        command = RunDrill(**work.about(row["id"], row["version"]))
        operation = await deps.journal.accept(work, run_drill, command)
        drill = drills.drill_of(row)
        work.emit(DrillStarted(**work.about(drill.id, drill.version), drill=drill))
        work.audit("drill.start", drill.id, drill.version, drill.plan_name, {"plan_id": str(plan["id"])})
        changed = plans.plan_of(await plans.change(work, plan["id"], status="testing"))
        work.emit(PlanUpdated(**work.about(changed.id, changed.version), plan=changed))
        reply = AcceptedDrill(operation=operation, drill=drill)
        acceptance.answer(reply)
    return reply


def _drill_values(plan: Mapping[str, Any]) -> dict[str, Any]:
    region = plan["disaster_recovery_regions"][0]
    objectives = plan["recovery_objectives"]
    return {
        "plan_id": plan["id"],
        "plan_name": plan["plan_name"],
        "test_type": plan["testing_schedule"]["test_type"],
        "region": {"provider_id": region["provider_id"], "region_code": region["region_code"]},
        "rto_objective_minutes": objectives["rto_minutes"] or DEFAULT_RTO_MINUTES[plan["plan_type"]],
        "rpo_objective_minutes": objectives["rpo_minutes"],
    }


@routes.request(GetDrill)
async def get_drill(request: GetDrill, deps: Deps) -> Drill:
    async with deps.database.work(Context.of(request)) as work:
        return drills.drill_of(await drills.get(work, request.drill_id))


@routes.request(ListDrills)
async def list_drills(request: ListDrills, deps: Deps) -> Page[Drill]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await drills.page(work, request)
    return Page[Drill](items=items, next_cursor=cursor)

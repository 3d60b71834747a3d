"""How are budgets made, read, changed and removed? Each change is measured at once."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from services.costs.deps import Deps
from services.costs.domain.budgets import check, period_of
from services.costs.storage import budgets
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.ids import new_id
from shared.messages.base import Page
from shared.messages.budgets import (
    Budget,
    BudgetCreated,
    BudgetDeleted,
    BudgetUpdated,
    CreateBudget,
    DeleteBudget,
    GetBudget,
    ListBudgets,
    UpdateBudget,
)
from shared.messages.context import Context

CHANGEABLE = (
    "budget_name", "budget_scope", "scope_filters", "budget_amount", "budget_period", "alert_thresholds", "currency",
    "notification_channels",
)  # fmt: skip
BEGINS_ANEW = ("budget_scope", "scope_filters", "budget_amount", "budget_period")
"""Another of these is another question: its thresholds have not been said yet."""

routes = Routes()


@routes.request(CreateBudget)
async def create_budget(request: CreateBudget, deps: Deps) -> Budget:
    check(request.budget_scope, request.scope_filters, request.alert_thresholds, request.currency)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        row = _new_row(request, work)
        await budgets.add(work, row)
        work.audit("budget.create", row["id"], 1, row["budget_name"], {"budget_amount": str(request.budget_amount)})
        measured = await budgets.measure(work, row)
        reply = budgets.budget_of(measured)
        work.emit(BudgetCreated(**work.about(reply.id, reply.version), budget=reply))
        await budgets.tell_crossings(work, measured)
        acceptance.answer(reply)
    return reply


@routes.request(GetBudget)
async def get_budget(request: GetBudget, deps: Deps) -> Budget:
    async with deps.database.work(Context.of(request)) as work:
        return budgets.budget_of(await budgets.get(work, request.budget))


@routes.request(ListBudgets)
async def list_budgets(request: ListBudgets, deps: Deps) -> Page[Budget]:
    async with deps.database.work(Context.of(request)) as work:
        found, cursor = await budgets.page(work, request)
    return Page[Budget](items=[budgets.budget_of(row) for row in found], next_cursor=cursor)


@routes.request(UpdateBudget)
async def update_budget(request: UpdateBudget, deps: Deps) -> Budget:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        before = await budgets.lock(work, request.budget)
        request.check_version("budget", before["version"])
        changes = request.model_dump(include=set(CHANGEABLE), exclude_none=True)
        row = {**before, **changes, "version": before["version"] + 1, "updated_at": work.now}
        check(row["budget_scope"], row["scope_filters"], row["alert_thresholds"], row["currency"])
        row["revision"] += any(row[name] != before[name] for name in BEGINS_ANEW)
        await budgets.change(work, request.budget, {name: row[name] for name in (*changes, *_COUNTED)})
        measured = await budgets.measure(work, row)
        reply = budgets.budget_of(measured)
        work.audit("budget.update", reply.id, reply.version, reply.budget_name, {"changed": sorted(changes)})
        work.emit(BudgetUpdated(**work.about(reply.id, reply.version), budget=reply))
        await budgets.tell_crossings(work, measured)
        acceptance.answer(reply)
    return reply


@routes.request(DeleteBudget)
async def delete_budget(request: DeleteBudget, deps: Deps) -> Budget:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        row = await budgets.lock(work, request.budget)
        request.check_version("budget", row["version"])
        await budgets.remove(work, request.budget)
        reply = budgets.budget_of({**row, "version": row["version"] + 1, "updated_at": work.now})
        work.audit("budget.delete", reply.id, reply.version, reply.budget_name)
        work.emit(BudgetDeleted(**work.about(reply.id, reply.version), budget=reply))
        acceptance.answer(reply)
    return reply


_COUNTED = ("version", "updated_at", "revision")


def _new_row(request: CreateBudget, work: Work) -> dict[str, Any]:
    start, end = period_of(request.budget_period, work.now)
    budget_id: UUID = new_id()
    return {
        "id": budget_id,
        "organization_id": work.organization,
        **request.model_dump(include=set(CHANGEABLE)),
        "revision": 1,
        "current_spend": Decimal(0),
        "forecast_spend": Decimal(0),
        "period_start": start,
        "period_end": end,
        "evaluated_at": work.now,
        "created_at": work.now,
        "updated_at": work.now,
        "version": 1,
    }

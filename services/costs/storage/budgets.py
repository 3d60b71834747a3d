"""Which budgets are there, and which of their thresholds have been said?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.costs.domain.budgets import Crossing, crossings, period_of, status_of
from services.costs.domain.costs import projection
from services.costs.storage import costs
from services.costs.storage.tables import budget, budget_crossings
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.budgets import Budget, BudgetExceeded, ListBudgets

ORDER = Keyset(
    budget.c.id,
    {"created_at": budget.c.created_at, "budget_name": budget.c.budget_name},
    default="created_at",
)


async def add(work: Work, values: Mapping[str, Any]) -> None:
    await work.execute(insert(budget).values(**values))


async def get(work: Work, budget_id: UUID) -> dict[str, Any]:
    """A budget of the work's organization. Raises NotFound."""
    return await _one(work, _by_id(work, budget_id))


async def lock(work: Work, budget_id: UUID) -> dict[str, Any]:
    """The same, locked until the commit. Raises NotFound."""
    return await _one(work, _by_id(work, budget_id).with_for_update())


async def page(work: Work, request: ListBudgets) -> tuple[list[Mapping[str, Any]], str | None]:
    statement = select(budget).where(budget.c.organization_id == work.organization)
    if request.budget_scope is not None:
        statement = statement.where(budget.c.budget_scope == request.budget_scope)
    return ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)


async def newest(work: Work, limit: int) -> list[dict[str, Any]]:
    statement = select(budget).where(budget.c.organization_id == work.organization)
    return list(rows(await work.execute(statement.order_by(budget.c.created_at.desc(), budget.c.id).limit(limit))))


async def all_ids(work: Work) -> list[tuple[UUID, UUID]]:
    """In background work: (organization, budget) of every budget, the longest unevaluated first."""
    statement = select(budget.c.organization_id, budget.c.id).order_by(budget.c.evaluated_at, budget.c.id)
    found = await work.execute(statement)
    return [(row.organization_id, row.id) for row in found]


async def change(work: Work, budget_id: UUID, values: Mapping[str, Any]) -> None:
    mine = (budget.c.id == budget_id, budget.c.organization_id == work.organization)
    await work.execute(update(budget).where(*mine).values(**values))


async def remove(work: Work, budget_id: UUID) -> None:
    mine = (budget.c.id == budget_id, budget.c.organization_id == work.organization)
    await work.execute(delete(budget).where(*mine))


async def measure(work: Work, row: Mapping[str, Any]) -> dict[str, Any]:
    """Measure the current period; returns the row as it is then."""
    start, end = period_of(row["budget_period"], work.now)
    filters = {name: UUID(value) if name == "provider_id" else value for name, value in row["scope_filters"].items()}
    spent = await costs.spending(work, work.organization, start, end, filters=filters)
    spend = costs.total_of(spent)
    forecast = projection(spend, sum((item.usd_per_hour for item in spent), Decimal(0)), work.now, end)
    measured = {
        "current_spend": spend, "forecast_spend": forecast, "period_start": start, "period_end": end,
        "evaluated_at": work.now,
    }  # fmt: skip
    await change(work, row["id"], measured)
    return {**row, **measured}


async def tell_crossings(work: Work, row: Mapping[str, Any]) -> None:
    """Say each threshold that a measured budget has reached for the first time in this period."""
    figures = (row["current_spend"], row["forecast_spend"])
    for crossing in crossings(row["budget_amount"], row["alert_thresholds"], *figures):
        if await _note_crossing(work, row, crossing):
            work.emit(_exceeded(work, row, crossing))


def budget_of(row: Mapping[str, Any]) -> Budget:
    """The row as others see it."""
    amount, spend, forecast = row["budget_amount"], row["current_spend"], row["forecast_spend"]
    shown = {name: value for name, value in row.items() if name in Budget.model_fields}
    figures = {
        "budget_amount": float(amount),
        "current_spend": float(round(spend, 9)),
        "forecast_spend": float(round(forecast, 9)),
        "percent_used": float(round(spend / amount * 100, 2)),
        "status": status_of(amount, spend, forecast),
    }
    return Budget(**{**shown, **figures})


def _by_id(work: Work, budget_id: UUID) -> Select[Any]:
    return select(budget).where(budget.c.id == budget_id, budget.c.organization_id == work.organization)


async def _one(work: Work, statement: Select[Any]) -> dict[str, Any]:
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such budget")
    return dict(row)


def _exceeded(work: Work, row: Mapping[str, Any], crossing: Crossing) -> BudgetExceeded:
    return BudgetExceeded(
        **work.about(row["id"], row["version"]),
        budget_id=row["id"],
        revision=row["revision"],
        budget_name=row["budget_name"],
        budget_scope=row["budget_scope"],
        scope_filters=row["scope_filters"],
        budget_amount=row["budget_amount"],
        currency=row["currency"],
        threshold_percent=crossing.threshold_percent,
        basis=crossing.basis,
        spend=round(crossing.spend, 9),
        period_start=row["period_start"].isoformat(),
        period_end=row["period_end"].isoformat(),
        budget_period=row["budget_period"],
        notification_channels=row["notification_channels"],
    )


async def _note_crossing(work: Work, row: Mapping[str, Any], crossing: Crossing) -> bool:
    """True the first time in this period and revision: then, and only then, it is said."""
    statement = upsert(budget_crossings).values(
        budget_id=row["id"], revision=row["revision"], period_start=row["period_start"], basis=crossing.basis,
        threshold_percent=crossing.threshold_percent, organization_id=work.organization, spend=crossing.spend,
        crossed_at=work.now,
    )  # fmt: skip
    new = statement.on_conflict_do_nothing().returning(budget_crossings.c.budget_id)
    return (await work.execute(new)).first() is not None

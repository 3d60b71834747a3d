"""How are budgets kept? Answered by costs; `/budget` is an alias of `/budgets` for making one (requirements C17)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.base import Page
from shared.messages.budgets import (
    Budget,
    BudgetAmount,
    BudgetPeriod,
    BudgetScope,
    Channels,
    CreateBudget,
    DeleteBudget,
    GetBudget,
    ListBudgets,
    ScopeFilters,
    Thresholds,
    UpdateBudget,
)
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/costs", tags=["budgets"])

Reader = Annotated[Caller, Depends(needs(Permission.BUDGETS_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.BUDGETS_WRITE))]

_EXAMPLE: dict[str, Any] = {
    "budget_name": "production",
    "budget_scope": "environment",
    "scope_filters": {"environment": "production"},
    "budget_amount": 500,
    "budget_period": "monthly",
    "alert_thresholds": [50, 80, 100],
    "currency": "USD",
    "notification_channels": ["slack"],
}


class CreateBudgetBody(BaseModel):
    """A limit on spending. `alert_thresholds` are percentages of the amount, ascending."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    budget_name: str = Field(min_length=1, max_length=200)
    budget_scope: BudgetScope = "organization"
    scope_filters: ScopeFilters = Field(default_factory=dict)
    budget_amount: BudgetAmount
    budget_period: BudgetPeriod = "monthly"
    alert_thresholds: Thresholds = Field(default=[50, 80, 100])
    currency: str = Field(default="USD", min_length=3, max_length=3)
    notification_channels: Channels = Field(default_factory=list)


class UpdateBudgetBody(BaseModel):
    """Only the fields that are given change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"budget_amount": 750}]})

    budget_name: str | None = Field(default=None, min_length=1, max_length=200)
    budget_scope: BudgetScope | None = None
    scope_filters: ScopeFilters | None = None
    budget_amount: BudgetAmount | None = None
    budget_period: BudgetPeriod | None = None
    alert_thresholds: Thresholds | None = None
    currency: str | None = Field(default=None, min_length=3, max_length=3)
    notification_channels: Channels | None = None


@router.post("/budgets", status_code=201, response_model=Budget)
@router.post("/budget", status_code=201, response_model=Budget)
async def create_budget(body: CreateBudgetBody, caller: Writer) -> Response:
    """Measured at once: a threshold that is already crossed is said with the answer."""
    return await caller.ask(
        CreateBudget, status_code=201, location="/api/cloud/costs/budgets/{id}", **body.model_dump()
    )


@router.get("/budgets", response_model=Page[Budget])
async def list_budgets(
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    sort: Annotated[str | None, Query(max_length=100, description="created_at or budget_name, `-` descends")] = None,
    budget_scope: BudgetScope | None = None,
) -> Response:
    return await caller.ask(ListBudgets, limit=limit, cursor=cursor, sort=sort, budget_scope=budget_scope)


@router.get("/budgets/{budget}", response_model=Budget)
async def get_budget(budget: UUID, caller: Reader) -> Response:
    return await caller.ask(GetBudget, budget=budget)


@router.put("/budgets/{budget}", response_model=Budget)
async def update_budget(budget: UUID, body: UpdateBudgetBody, caller: Writer) -> Response:
    """Another amount, period or scope starts the thresholds anew. `If-Match` guards against a lost update."""
    return await caller.ask(UpdateBudget, budget=budget, **body.model_dump(exclude_unset=True))


@router.delete("/budgets/{budget}", status_code=204)
async def delete_budget(budget: UUID, caller: Writer) -> Response:
    return await caller.ask(DeleteBudget, status_code=204, budget=budget)

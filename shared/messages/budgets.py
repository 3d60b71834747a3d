"""Budgets: limits on spending. Owned by costs."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request

BudgetScope = Literal["organization", "provider", "environment", "project", "resource_type"]
BudgetPeriod = Literal["daily", "weekly", "monthly", "quarterly", "annually"]
BudgetAmount = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=4)]
Thresholds = Annotated[list[float], Field(min_length=1, max_length=20)]
ScopeFilters = Annotated[dict[str, str], Field(max_length=10)]
Channels = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(
        max_length=20,
        description="ids of channels, or a type (`slack`, `email`, `webhook`) for all of that type; empty means every "
        "channel. They are looked up when an alert is sent; when none of them exists then, every channel is told.",
    ),
]


class Budget(Facts):
    """One budget with what was spent in its current period, as of `evaluated_at`."""

    id: UUID
    organization_id: UUID
    budget_name: str
    budget_scope: str
    scope_filters: dict[str, str]
    budget_amount: float
    currency: str
    budget_period: str
    alert_thresholds: list[float]
    notification_channels: list[str]
    current_spend: float
    forecast_spend: float
    percent_used: float
    status: str
    """`within`, `at_risk` (the forecast is above the amount) or `exceeded`"""
    period_start: datetime
    period_end: datetime
    evaluated_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int


class CreateBudget(Mutation, entity="budget", name="create", owner="costs", reply=Budget):
    """422 for a currency other than USD, unsorted thresholds, unknown filters, a scope without its filter."""

    budget_name: str = Field(min_length=1, max_length=200)
    budget_scope: BudgetScope = "organization"
    scope_filters: ScopeFilters = Field(default_factory=dict)
    budget_amount: BudgetAmount
    budget_period: BudgetPeriod = "monthly"
    alert_thresholds: Thresholds = Field(default=[50, 80, 100])
    currency: str = Field(default="USD", min_length=3, max_length=3)
    notification_channels: Channels = Field(default_factory=list)


class GetBudget(Request, entity="budget", name="get", owner="costs", reply=Budget):
    budget: UUID


class ListBudgets(ListRequest, entity="budget", name="list", owner="costs", reply=Page[Budget]):
    budget_scope: BudgetScope | None = None


class UpdateBudget(Mutation, entity="budget", name="update", owner="costs", reply=Budget):
    """Only the fields that are given change. Another amount, period or scope starts the thresholds anew."""

    budget: UUID
    budget_name: str | None = Field(default=None, min_length=1, max_length=200)
    budget_scope: BudgetScope | None = None
    scope_filters: ScopeFilters | None = None
    budget_amount: BudgetAmount | None = None
    budget_period: BudgetPeriod | None = None
    alert_thresholds: Thresholds | None = None
    currency: str | None = Field(default=None, min_length=3, max_length=3)
    notification_channels: Channels | None = None


class DeleteBudget(Mutation, entity="budget", name="delete", owner="costs", reply=Budget):
    budget: UUID


class BudgetEvent(Event):
    """The aggregate is the budget; the event holds all of it, with what was spent when it was said."""

    budget: Budget


class BudgetCreated(BudgetEvent, entity="budget", name="created", owner="costs"):
    pass


class BudgetUpdated(BudgetEvent, entity="budget", name="updated", owner="costs"):
    """Its content changed; figures change all the time and are not said."""


class BudgetDeleted(BudgetEvent, entity="budget", name="deleted", owner="costs"):
    pass


class BudgetExceeded(Event, entity="budget", name="exceeded", owner="costs"):
    """Spending (or its forecast) crossed a threshold of a budget in this period: said once per threshold and period."""

    budget_id: UUID
    revision: int = Field(default=1, ge=1)
    """Of the budget: counted up by another amount, period, scope or filter, which starts its thresholds anew."""
    budget_name: str
    budget_scope: str
    scope_filters: dict[str, Any] = {}
    budget_amount: Decimal
    currency: str
    threshold_percent: float
    basis: str
    """`actual` or `forecast`"""
    spend: Decimal
    period_start: str
    period_end: str = ""
    budget_period: str = "monthly"
    notification_channels: list[str] = []

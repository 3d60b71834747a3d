"""Costs: what resources have cost and will cost. Owned by costs; every total says its currency."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Facts, Request
from shared.messages.budgets import Budget

Grouping = Literal["provider", "category", "environment", "project", "resource_type", "day"]


class Total(Facts):
    """A sum of money for display: cents as text (`"12.34"`), rounded half to even."""

    amount: str
    currency: str


class CostShare(Facts):
    """A part of the month to date. `cost_usd` is the same as a number, with nine fraction digits."""

    name: str
    cost: Total
    cost_usd: float
    cost_per_hour_usd: float
    percent: float


class CostBasis(Facts):
    """What the totals are made of, so that nobody takes a missing price for a free resource."""

    included: list[str]
    not_included: list[str]
    method: str
    projection: str
    hours_basis: int = 720
    hours_basis_note: str
    prices_from: date | None
    prices_to: date | None
    price_sources: list[str]
    metered_resources: int
    unpriced_resources: int
    """Of which nothing has a known price."""
    partly_priced_resources: int = 0
    """Of which something is paid beside a known price: a load balancer's traffic, a zone's queries."""
    unpriced: list[str]
    """Up to 20 reasons of both, the most frequent first."""


class CostOverview(Facts):
    """The spending of one organization in the current calendar month (UTC)."""

    currency: str
    month_to_date: Total
    projected_month: Total
    previous_month: Total
    cost_per_hour: Total
    monthly_cost: float
    """What runs now for 720 h, as a number."""
    monthly_cost_730: float
    by_provider: list[CostShare]
    by_category: list[CostShare]
    by_environment: list[CostShare]
    budgets: list[Budget]
    as_of: datetime
    basis: CostBasis


class CostGroup(Facts):
    """Spending of one group; `name` is a day (ISO 8601) when grouped by day."""

    name: str
    cost: Total
    cost_usd: float


class CostBreakdown(Facts):
    """Spending in [start, end), whole days in UTC; the largest group first, days in order."""

    group_by: str
    start: date
    end: date
    total: Total
    groups: list[CostGroup]
    as_of: datetime


class GetCostOverview(Request, entity="cost", name="overview", owner="costs", reply=CostOverview):
    pass


class GetCostBreakdown(Request, entity="cost", name="breakdown", owner="costs", reply=CostBreakdown):
    """422 unless start < end and both within 400 days; default: the month so far."""

    group_by: Grouping = "category"
    start: date | None = None
    end: date | None = None
    provider_id: UUID | None = None
    project: str | None = Field(default=None, max_length=100)

"""Budgets: limits on spending. Owned by costs."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.messages.base import Event


class BudgetExceeded(Event, entity="budget", name="exceeded", owner="costs"):
    """Spending (or its forecast) crossed a threshold of a budget in this period: said once per threshold and period."""

    budget_id: UUID
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
    notification_channels: list[str] = []

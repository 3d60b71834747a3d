"""Does an alert of a budget still say something true, now that the budget is another?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.messages.budgets import Budget


def still_crossed(values: Mapping[str, Any], budget: Budget) -> bool:
    """Whether the spending (or its forecast) that an alert is about is above its share of the budget's amount now.

    `values` are the alert's `current_values`: `threshold_percent`, `basis`, `period_start`. An alert of another period
    says nothing of this one.
    """
    if datetime.fromisoformat(values["period_start"]) != budget.period_start:
        return False
    spend = budget.current_spend if values["basis"] == "actual" else budget.forecast_spend
    return bool(spend >= budget.budget_amount * values["threshold_percent"] / 100)

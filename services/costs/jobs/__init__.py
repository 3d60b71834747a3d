"""What does costs do by the clock?"""

from services.costs.jobs.budgets import evaluate_budgets
from services.costs.jobs.costs import meter_resources
from services.costs.settings import Settings
from shared.runtime.jobs import Jobs

LEASE_S = 60
"""A replica that died inside a run is replaced after this time; a run works in small transactions and may be cut."""


def jobs_of(settings: Settings) -> Jobs:
    """Metering and evaluation, each on one replica at a time."""
    jobs = Jobs()
    jobs.add(settings.metering_interval_s, "costs.meter", meter_resources, lease_s=LEASE_S)
    jobs.add(settings.metering_interval_s, "costs.budgets", evaluate_budgets, lease_s=LEASE_S)
    return jobs

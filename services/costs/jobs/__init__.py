"""What does costs do by the clock?"""

from services.costs.jobs.budgets import evaluate_budgets
from services.costs.jobs.costs import meter_resources
from services.costs.settings import Settings
from shared.runtime.jobs import Jobs


def jobs_of(settings: Settings) -> Jobs:
    """Metering and evaluation, each on one replica at a time; a run works in small transactions and may be cut."""
    jobs = Jobs()
    every_s, lease_s = settings.metering_interval_s, settings.metering_lease_s
    jobs.add(every_s, "costs.meter", meter_resources, lease_s=lease_s)
    jobs.add(every_s, "costs.budgets", evaluate_budgets, lease_s=lease_s)
    return jobs

"""What does costs do by the clock?"""

from services.costs.jobs.budgets import evaluate_budgets
from services.costs.jobs.costs import adopt_resources, meter_resources
from services.costs.settings import Settings
from shared.runtime.jobs import Jobs

ADOPTION_INTERVALS = 12
"""Each metering is quick when nothing is due; a look for what came without an event reads all resources."""


def jobs_of(settings: Settings) -> Jobs:
    """Each job on one replica at a time; a run works in small transactions and may be cut."""
    jobs = Jobs()
    every_s, lease_s = settings.metering_interval_s, settings.metering_lease_s
    jobs.add(ADOPTION_INTERVALS * every_s, "costs.adopt", adopt_resources, lease_s=lease_s)
    jobs.add(every_s, "costs.meter", meter_resources, lease_s=lease_s)
    jobs.add(every_s, "costs.budgets", evaluate_budgets, lease_s=lease_s)
    return jobs

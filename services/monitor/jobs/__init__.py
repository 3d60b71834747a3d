"""What monitor and the notifier do by the clock, each once per interval over all replicas."""

from services.monitor.jobs.alerts import end_cost_alerts, end_suppressions
from services.monitor.jobs.channels import rotate_secrets
from services.monitor.jobs.collections import sweep
from services.monitor.jobs.deliveries import requeue_deliveries
from services.monitor.jobs.metrics import drop_old_partitions, make_partitions
from services.monitor.jobs.retention import forget_deliveries, forget_old
from services.monitor.jobs.rollups import roll_up_days
from services.monitor.settings import Settings
from shared.runtime.jobs import Jobs

HOUR_S = 3600.0


def monitor_jobs(settings: Settings) -> Jobs:
    jobs = Jobs()
    jobs.add(settings.sweep_s, "monitor.sweep", sweep)
    jobs.add(HOUR_S, "monitor.make_partitions", make_partitions)
    jobs.add(HOUR_S, "monitor.drop_old_partitions", drop_old_partitions)
    jobs.add(HOUR_S, "monitor.roll_up_days", roll_up_days)
    jobs.add(HOUR_S, "monitor.forget_old", forget_old)
    jobs.add(5, "monitor.end_suppressions", end_suppressions)
    jobs.add(60, "monitor.end_cost_alerts", end_cost_alerts)
    jobs.add(settings.rotation_every_s, "monitor.rotate_secrets", rotate_secrets)
    return jobs


def notifier_jobs(_settings: Settings) -> Jobs:
    jobs = Jobs()
    jobs.add(60, "notifier.requeue_deliveries", requeue_deliveries)
    jobs.add(HOUR_S, "notifier.forget_deliveries", forget_deliveries)
    return jobs

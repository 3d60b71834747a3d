"""What does recovery do by the clock?"""

from services.recovery.jobs.backups import begin_deletions, start_due_backups
from shared.runtime.jobs import Jobs

jobs = Jobs()
jobs.add(10, "recovery.start_due_backups", start_due_backups)
jobs.add(60, "recovery.delete_expired_backups", begin_deletions)

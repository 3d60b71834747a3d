"""What the provisioner does by the clock."""

from services.provisioner.jobs import credentials, providers, syncs
from services.provisioner.settings import Settings
from shared.runtime.jobs import Jobs


def jobs_of(settings: Settings) -> Jobs:
    """All schedules, with the intervals of this deployment."""
    jobs = Jobs()
    jobs.add(settings.provider_check_every_s, "provisioner.check_providers", providers.check_providers)
    jobs.add(settings.rotation_every_s, "provisioner.rotate_credentials", credentials.rotate_credentials)
    jobs.add(settings.bucket_check_every_s, "provisioner.restore_credentials", credentials.restore_credentials)
    jobs.add(settings.sync_check_every_s, "provisioner.sync_accounts", syncs.sync_accounts)
    return jobs

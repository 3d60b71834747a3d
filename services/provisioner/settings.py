"""What does the provisioner need to be told, beside what every service is told?"""

from pydantic import Field

from shared.kit.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    """CANOPY_* variables. The clouds' own (endpoints, time limits) are shared/clouds/settings.py."""

    provider_check_every_s: float = Field(default=60, gt=0)
    rotation_every_s: float = Field(default=600, gt=0)
    bucket_check_every_s: float = Field(default=60, gt=0)
    """How often the bucket of credentials is compared with the rows: NATS may have lost its storage."""
    machine_poll_s: float = Field(default=2, gt=0)
    """How often a saga asks the cloud whether a machine has arrived in its state."""
    machine_wait_s: float = Field(default=900, gt=0)
    """After this long a machine that has not arrived counts as failed."""
    cloud_answer_s: float = Field(default=8, gt=0)
    """How long a request may wait for a cloud; below the requests' own 10 s, so that the client hears why."""
    sync_check_every_s: float = Field(default=15, gt=0)
    """How often is looked for accounts whose inventory is due to be read."""
    sync_every_s: float = Field(default=900, gt=0)
    """How old the facts of an account's inventory may become before it is read again."""
    syncs_at_once: int = Field(default=4, ge=1)
    """Accounts that are read at the same time, over all replicas."""
    sync_scopes_at_once: int = Field(default=4, ge=1)
    """Scopes of one account that are read at the same time."""
    inventory_settle_s: float = Field(default=60, ge=0)
    """How long a cloud's lists may lag behind its mutations: younger facts of ours are newer than what is listed."""
    reader_pool_size: int = Field(default=4, ge=1)
    """Connections for the hottest read."""

"""What does costs need to be told?"""

from pydantic import Field

from shared.kit.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    """CANOPY_METERING_INTERVAL_S: how often changes are metered and budgets evaluated, in seconds."""

    metering_interval_s: float = Field(default=5, gt=0)
    cost_roll_up_s: float = Field(default=3600, gt=0)
    """How long a meter runs before what it counted is written as a row."""
    metering_lease_s: float = Field(default=15, gt=0)
    """How long a run may take, and so how long metering rests after the replica that did it was killed."""

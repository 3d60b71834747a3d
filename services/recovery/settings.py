"""What does only recovery need to be told?"""

from pydantic import Field

from shared.kit.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    """Read from CANOPY_* variables, like every setting."""

    cloud_poll_s: float = Field(default=5.0, gt=0, description="how often a snapshot or machine under way is looked at")
    cloud_settle_s: float = Field(
        default=15.0, ge=0, description="how long a new thing at a cloud may be invisible to reads"
    )
    backup_timeout_s: float = Field(default=24 * 3600.0, gt=0, description="for each snapshot and for each copy")
    drill_timeout_s: float = Field(default=4 * 3600.0, gt=0, description="for all waits of a drill together")
    cleaning_timeout_s: float = Field(default=3600.0, gt=0, description="then a drill says what it could not remove")
    durations_note: str | None = Field(
        default=None, max_length=500, description="what reports say about durations measured in this deployment"
    )

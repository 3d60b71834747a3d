"""What do monitor and the notifier need to be told?"""

from pydantic import Field, SecretStr, model_validator

from shared.kit.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    """Settings of both processes; times in seconds."""

    sweep_s: float = Field(default=30, gt=0)
    """How often due series are looked for; a provider's own `metrics_period_s` decides which are due."""
    publication_delay_s: float = Field(default=0, ge=0)
    """How long after the end of a period its point is asked for: real CloudWatch needs a minute or more."""
    lookback_s: float = Field(default=900, gt=0)
    """How far back a resource is asked for at first, or after a gap."""
    collection_lease_s: float = Field(default=120, gt=0)
    """A collection that was queued this long ago without an end is queued again."""
    point_max_age_s: float = Field(default=2 * 86_400, gt=0)
    """A provider's widest point (Vultr: a day) is a day old when it begins to exist, and may come late."""
    point_max_future_s: float = Field(default=120, gt=0)
    partitions_ahead_days: int = Field(default=7, ge=1)
    retention_days: int = Field(default=90, ge=2)
    """Of samples; daily roll-ups of them, resolved alerts and finished deliveries have their own."""
    rollup_retention_days: int = Field(default=400, ge=2)
    alert_retention_days: int = Field(default=400, ge=1)
    delivery_retention_days: int = Field(default=90, ge=1)
    health_refresh_s: float = Field(default=60, gt=0)
    """Metrics without a change of status or score are told at most this often per resource."""
    stale_after_s: float = Field(default=900, gt=0)
    """Telemetry older than this is no telemetry."""
    expression_limit_s: float = Field(default=2, gt=0)
    """What all expressions of one organization together may take for one batch of points."""
    expression_pause_s: float = Field(default=300, gt=0)
    """How long an organization's expressions are not asked after they took longer."""
    alert_rules_allowed: int = Field(default=200, ge=1)
    """Of an organization's own; 409 `alert_rule_limit` beyond."""
    rotation_every_s: float = Field(default=600, gt=0)
    public_url: str = "http://127.0.0.1:8080"
    allow_private_webhooks: bool = False
    console_url: str | None = None
    """Where people look at alerts: links in notifications lead there. None: to the alert in the REST API."""
    post_timeout_s: float = Field(default=10, gt=0)
    """For the whole of one post or mail, with resolving, connecting and reading the answer."""
    posts_at_once: int = Field(default=4, ge=1)
    """Of one organization in one process."""
    delivery_lease_s: float = Field(default=20, gt=0)
    """Longer than a post may take: after it a delivery found in `sending` was left behind by a crash."""
    delivery_attempts: int = Field(default=8, ge=1)
    smtp_host: str | None = None
    smtp_port: int = 25
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_start_tls: bool = False
    smtp_from: str = "canopy@localhost"

    @model_validator(mode="after")
    def posts_end_before_their_lease(self) -> "Settings":
        if self.delivery_lease_s <= self.post_timeout_s:
            raise ValueError("CANOPY_DELIVERY_LEASE_S must be longer than CANOPY_POST_TIMEOUT_S")
        return self

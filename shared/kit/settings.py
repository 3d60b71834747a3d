"""What does every service need to be told? Read once from CANOPY_* variables, in `main`; handed on through deps."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BaseServiceSettings(BaseSettings):
    """Settings of one process. A service's own class adds what only it needs."""

    model_config = SettingsConfigDict(
        env_prefix="CANOPY_", extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )
    # An empty variable is an unset one: compose and Kubernetes hand on what nobody filled in as "".

    nats_url: str = "nats://127.0.0.1:4222"
    nats_user: str | None = None
    nats_password: SecretStr | None = None
    nats_tls_ca: str | None = None
    database_url: SecretStr = SecretStr("")
    database_pool_size: int = 10
    http_host: str = "127.0.0.1"
    http_port: int = 0
    """Of /healthz, /readyz and /metrics: for the deployment's probes, without authentication."""
    key_ring: SecretStr = SecretStr("")
    log_level: str = "INFO"
    otlp_endpoint: str | None = Field(
        default=None, validation_alias=AliasChoices("CANOPY_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    )
    trace_sample_ratio: float = 1.0
    command_concurrency: int = 32
    request_concurrency: int = 64
    lease_s: float = 60
    """Longer than the longest SDK call with its retries; fault campaigns run it short."""
    ack_wait_s: float = 30
    drain_s: float = 10
    replica: str = ""
    """Names this replica in leases; the process id is added."""

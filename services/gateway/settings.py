"""What does the gateway need to be told beside what every service does?"""

from pydantic import Field, IPvAnyNetwork, SecretStr

from shared.kit.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    """CANOPY_* variables of the gateway."""

    gateway_key_ring: SecretStr = SecretStr("")
    """The gateway's own ring (shared/security/envelope.py KeyRing); never the one of the credentials."""
    public_port: int = Field(default=8000, ge=1, le=65535)
    """Of the REST API and the live stream: what the world reaches."""
    issuer: str = "canopy"
    audience: str = "canopy"
    body_limit_bytes: int = Field(default=1024 * 1024, ge=1024)
    authentication_cache_s: float = Field(default=3.0, ge=0)
    """How long a key or token counts without a look at its row: what a lost revocation notice can cost."""
    password_memory_kib: int = 64 * 1024
    password_passes: int = 3
    password_threads: int = 2
    """Each holds `password_memory_kib` while it works, so their number bounds the memory."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Proxies (addresses or networks, JSON list) whose X-Forwarded-For names the client that limits are counted for."""
    sign_ins_per_minute: int = Field(default=10, ge=1)
    """Per address and per e-mail address."""
    refusals_per_minute: int = Field(default=600, ge=1)
    """Wrong keys, tokens and tickets of one address before it must wait."""
    reads_per_minute: int = Field(default=120_000, ge=1)
    writes_per_minute: int = Field(default=6_000, ge=1)
    long_works_per_minute: int = Field(default=1_200, ge=1)
    socket_queue: int = Field(default=1000, ge=10)
    """Events that may wait for one slow socket before it is closed."""
    sockets_per_principal: int = Field(default=50, ge=1)

"""Which settings does each process of the embedded deployment get? The same CANOPY_* variables as anywhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.postgres import Postgres
from deploy.local.secrets import Secrets

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "provisioner", "monitor", "costs", "recovery")
NOTIFIER = "notifier"
"""The monitor's second process: its own NATS user, the monitor's database."""
TOPOLOGY = "topology"
"""The NATS user that owns streams and consumers; only the reconcile step has it."""
OPERATOR = "operator"
"""The NATS user of the `canopy` command: reads dead letters, brings them back."""

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")
_OPENS_CREDENTIALS = ("provisioner", "monitor", "recovery")


@dataclass(frozen=True)
class Environment:
    """Where everything is, and how each process is told. `settings` are for all programs, `settings_of` for one."""

    secrets: Secrets
    postgres: Postgres
    nats_url: str
    public_url: str
    cloud_urls: Mapping[str, str]
    """Where each cloud that is simulated here answers, by the provider's name."""
    smtp_port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    settings_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, program: str, port: int, replica: str = "", *, public_port: int | None = None) -> dict[str, str]:
        """The variables of one service or of the notifier: its health on this port, the gateway's API on the public."""
        database = "monitor" if program == NOTIFIER else program
        own: dict[str, str] = {}
        if program in _OPENS_CREDENTIALS:
            own["CANOPY_KEY_RING"] = self.secrets.key_ring.model_dump_json()
            own |= {f"CANOPY_{name.upper()}_ENDPOINT_URL": url for name, url in self.cloud_urls.items()}
            own["CANOPY_CLOUD_BUDGET_FIRST_PER_S"] = "200"  # these clouds take more than the real ones publish
        if program == NOTIFIER:
            own["CANOPY_KEY_RING"] = self.secrets.key_ring.model_dump_json()
            own |= {"CANOPY_SMTP_HOST": "127.0.0.1", "CANOPY_SMTP_PORT": str(self.smtp_port)}
        if program == "recovery":
            own |= {"CANOPY_DURATIONS_NOTE": "durations are simulated", "CANOPY_CLOUD_POLL_S": "1"}
        if public_port is not None:
            own["CANOPY_PUBLIC_PORT"] = str(public_port)
        if program == "gateway":
            own["CANOPY_GATEWAY_KEY_RING"] = self.secrets.gateway_key_ring.model_dump_json()
        return {
            **base_environment(),
            "CANOPY_ALLOW_PRIVATE_WEBHOOKS": "true",
            **self.settings,
            **self.settings_of.get(program, {}),
            **self.nats(program),
            **own,
            "CANOPY_DATABASE_URL": self.database_url(database),
            "CANOPY_HTTP_HOST": "127.0.0.1",
            "CANOPY_HTTP_PORT": str(port),
            "CANOPY_PUBLIC_URL": self.public_url,
            "CANOPY_REPLICA": replica,
        }

    def nats(self, user: str) -> dict[str, str]:
        """How this user reaches the bus."""
        return {
            "CANOPY_NATS_URL": self.nats_url,
            "CANOPY_NATS_USER": user,
            "CANOPY_NATS_PASSWORD": self.secrets.password(f"nats.{user}"),
        }

    def database_url(self, service: str) -> str:
        """The service's database for the running service."""
        return self.postgres.url(service, f"{service}_app", self.secrets.password(f"postgres.{service}_app"))

    def owner_url(self, service: str) -> str:
        """The service's database for migrations."""
        return self.postgres.url(service, f"{service}_owner", self.secrets.password(f"postgres.{service}_owner"))


def base_environment() -> dict[str, str]:
    """What every child gets of our own variables: CANOPY_ and OTEL_ settings, but no cloud credentials."""
    passed_on = {
        name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith(("CANOPY_", "OTEL_"))
    }
    return {
        **passed_on,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }

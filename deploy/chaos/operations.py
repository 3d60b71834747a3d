"""Which long work has been begun, and how did each end?"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from deploy.chaos.client import Client

LOOK_AGAIN_S = 0.5
PATIENCE_S = 600.0
ENDED = ("succeeded", "failed")


class Stuck(Exception):
    """What had to happen did not."""


def wait_for(look: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """The first true thing that a look finds. Raises Stuck."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Stuck(f"{what} did not come within {timeout_s:g} s")
        time.sleep(LOOK_AGAIN_S)
    return found


class Operations:
    """The operations that one round began."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.pending: set[str] = set()
        self.ended: dict[str, dict[str, Any]] = {}

    def begun(self, operation: str) -> None:
        self.pending.add(operation)

    def look(self) -> int:
        """Ask how the pending ones are doing; how many are not at their end."""
        newest = self._client.call("GET", "/api/operations", limit=200)["items"]
        self._take(item for item in newest if item["id"] in self.pending)
        listed = {item["id"] for item in newest}
        self._take([self._client.call("GET", f"/api/operations/{each}") for each in self.pending - listed])
        return len(self.pending)

    def wait(self) -> None:
        """Until all have ended. Raises Stuck with those that have not."""
        try:
            wait_for(lambda: self.look() == 0, "the end of every operation")
        except Stuck as stuck:
            raise Stuck(f"{stuck}: {sorted(self.pending)}") from None

    def failed(self) -> list[dict[str, Any]]:
        return [item for item in self.ended.values() if item["status"] != "succeeded"]

    def finished_s(self, operation: str) -> float | None:
        """When it ended, in seconds since 1970; None for work that was not of this round."""
        found = self.ended.get(operation)
        return None if found is None else datetime.fromisoformat(found["finished_at"]).timestamp()

    def _take(self, items: Any) -> None:
        for item in items:
            if item["status"] in ENDED:
                self.ended[item["id"]] = item
                self.pending.discard(item["id"])

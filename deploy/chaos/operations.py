"""Which long work has been begun, and how did each end?"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from deploy.chaos.client import Client, Refused

LOOK_AGAIN_S = 0.5
PATIENCE_S = 600.0
ENDED = ("succeeded", "failed", "cancelled")


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
        self.may_fail: set[str] = set()
        """Those of fleets: how they have to end, their policy says."""

    def begun(self, *operations: str) -> None:
        self.pending.update(operations)

    def look(self) -> int:
        """Ask how the pending ones are doing; how many are not at their end."""
        newest = self._client.call("GET", "/api/operations", limit=200)["items"]
        self._take(item for item in newest if item["id"] in self.pending)
        listed = {item["id"] for item in newest}
        self._take(found for each in self.pending - listed if (found := self._ask(each)))
        return len(self.pending)

    def _ask(self, operation: str) -> dict[str, Any] | None:
        """None while the gateway has not heard of it: it answered for the whole, not for each part."""
        try:
            found: dict[str, Any] = self._client.call("GET", f"/api/operations/{operation}")
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def wait(self) -> None:
        """Until all have ended. Raises Stuck with those that have not."""
        try:
            wait_for(lambda: self.look() == 0, "the end of every operation")
        except Stuck as stuck:
            raise Stuck(f"{stuck}: {sorted(self.pending)}") from None

    def failed(self) -> list[dict[str, Any]]:
        """Those that had to succeed."""
        return [
            item for item in self.ended.values() if item["status"] != "succeeded" and item["id"] not in self.may_fail
        ]

    def finished_s(self, operation: str) -> float | None:
        """When it ended, in seconds since 1970; None for work that was not of this round."""
        found = self.ended.get(operation)
        return None if found is None else datetime.fromisoformat(found["finished_at"]).timestamp()

    def _take(self, items: Iterable[dict[str, Any]]) -> None:
        for item in list(items):
            if item["status"] in ENDED:
                self.ended[item["id"]] = item
                self.pending.discard(item["id"])

"""What became of a change? Google answers each with an operation, and keeps operations for 14 days.

An accepted change can still fail, minutes later, and says so only inside its operation. And a deleted machine leaves
no other trace than the operations about it: they are where a failed or a terminated machine is found again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clouds.errors import CloudError
from shared.clouds.gcp.addresses import in_utc, in_utc_or_none, last_part
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import from_operation

_POLL_FIRST_S = 0.1
_POLL_MAX_S = 2.0

Json = Mapping[str, Any]
"""An operation as Google writes it."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the operations about a thing that is not there (any more) say of it.

    `deleted`: it was made, and is there no more. Else it is `coming` (its creation still runs), or `errors` (code and
    message each) say why it never came. `attempts` counts creations that failed.
    """

    zone: str
    began_at: datetime | None
    deleted: bool
    coming: bool
    errors: Sequence[tuple[str, str]]
    attempts: int

    @property
    def failure(self) -> str | None:
        return "; ".join(f"{code}: {text}" for code, text in self.errors) or None


class Operations:
    """`wait_s` bounds how long a change is waited for; what is not done then is still on its way."""

    def __init__(self, client: GcpClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._wait_s = client.operation_wait_s
        self._monotonic_s = monotonic_s

    async def settled(self, operation: Json, region: str, *, name: str) -> bool:
        """Wait shortly; True when it is done, False when it is still running; raises the error it ended with.

        A question that fails ends the waiting only: the change was accepted.
        """
        limit_s, pause_s = self._monotonic_s() + self._wait_s, _POLL_FIRST_S
        while not _is_done(operation):
            if self._monotonic_s() + pause_s > limit_s:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(_POLL_MAX_S, pause_s * 2)
            try:
                operation = await self._read(operation, region)
            except CloudError:
                return False
        errors = errors_of(operation)
        if errors:
            raise from_operation(errors, operation=name)
        return True

    async def past(self, region: str, zone: str, instance: str) -> Past | None:
        """None when no operation of the last 14 days is about that instance."""
        wanted = f'targetLink eq ".*/projects/{self._client.project}/zones/{zone}/instances/{instance}"'
        parts = ("zones", zone, "operations")
        pages = self._client.listed("zoneOperations.list", region, *parts, filter=wanted)
        found = [each async for page in pages for each in page]
        return _past(zone, sorted(found, key=lambda each: in_utc(each["insertTime"])))

    async def _read(self, operation: Json, region: str) -> Json:
        zone = last_part(operation.get("zone", ""))
        kind, place = ("zoneOperations", ("zones", zone)) if zone else ("globalOperations", ("global",))
        return await self._client.read(f"{kind}.get", region, *place, "operations", operation["name"])


def errors_of(operation: Json) -> list[tuple[str, str]]:
    if not _is_done(operation):
        return []
    errors = operation.get("error", {}).get("errors", [])
    return [(each["code"], each.get("message", "")) for each in errors]


def _is_done(operation: Json) -> bool:
    return operation.get("status") == "DONE"


def _past(zone: str, operations: Sequence[Json]) -> Past | None:
    """`operations` in the order of their beginning."""
    inserts = [each for each in operations if each["operationType"] == "insert"]
    running = [each for each in inserts if not _is_done(each)]
    failed = [each for each in inserts if errors_of(each)]
    made = [each for each in inserts if _is_done(each) and not errors_of(each)]
    gone = [each for each in operations if each["operationType"] == "delete" and not errors_of(each)]
    if not inserts and not gone:
        return None
    last = (made or running or failed or gone)[-1]
    deleted = bool(made or gone)
    return Past(
        zone=zone,
        began_at=in_utc_or_none(last.get("insertTime")),
        deleted=deleted,
        coming=bool(running) and not deleted,
        errors=errors_of(failed[-1]) if failed and not deleted and not running else [],
        attempts=len(failed),
    )

"""What do all simulated clouds of one process share? Time, faults, things, the ledger, counts, and saving them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any

from deploy.local.clouds.clock import Clock
from deploy.local.clouds.faults import OWN_KINDS, Faults
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.provider import Answer, HttpRequest
from deploy.local.clouds.world.settings import Settings
from deploy.local.clouds.world.storage import CallKey, Storage
from deploy.local.clouds.world.things import Things
from deploy.local.load.cases import Cases
from deploy.local.load.pushes import Pushes
from deploy.local.load.series import Push

LAST_NUMBER = "last_number"
"""The fact by which numbers are given once for ever: ids are made of them, and the newest thing may be gone."""


class World:
    """The state of the process. Everything that `save` has not written yet is lost by a kill, and was not answered."""

    def __init__(self, storage: Storage, settings: Settings, wall: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = Clock(wall, offset_s=storage.fact("clock_offset_s"))
        self.faults = Faults(OWN_KINDS)
        self.things = Things(self.clock.now_s)
        self.things.load(storage.things())
        self.things.last_number = max(self.things.last_number, int(storage.fact(LAST_NUMBER)))
        self.pushes = Pushes(settings.data_dir / "pushes.json")
        self.cases = Cases(settings.data_dir / "cases.json")
        self._storage = storage
        self._sequence = storage.last_sequence()
        self._lines: list[dict[str, Any]] = []
        self._counted = storage.calls()
        self._unsaved_counts: set[CallKey] = set()

    def count(self, provider: str, account: str, region: str, action: str) -> None:
        """Count an authenticated call, whatever becomes of it; a refused call costs the client as much."""
        key = (provider, account, region, action)
        self._counted[key] += 1
        self._unsaved_counts.add(key)

    def note(self, account: Account, region: str, action: str, request: HttpRequest, answer: Answer) -> None:
        """A line of the ledger for an accepted mutation."""
        line = {"region": region, "action": action, "path": request.path, "repeated": answer.repeated}
        self._write_line(account, line, answer.result_ids)

    def note_planted(self, account: Account, ids: Sequence[str]) -> None:
        """A line of the ledger for machines that no client made."""
        line = {"region": "global", "action": "seed", "path": "/_sim/seed", "repeated": False}
        self._write_line(account, line, ids)

    def _write_line(self, account: Account, line: dict[str, Any], ids: Sequence[str]) -> None:
        self._sequence += 1
        self._lines.append(
            {
                "sequence": self._sequence,
                "time": dt.datetime.fromtimestamp(self.clock.now_s(), dt.UTC).isoformat(),
                "provider": account.provider,
                "account": account.account_id,
                **line,
                "result_ids": list(ids),
            }
        )

    def save(self) -> None:
        """Write what changed, if anything did; what cannot be written stays to be written."""
        if not (self.things.changed or self._lines):
            return
        counts = {key: self._counted[key] for key in self._unsaved_counts}
        self._storage.write(self.things.changed, self._lines, counts, {LAST_NUMBER: self.things.last_number})
        self.things.changed.clear()
        self._lines.clear()
        self._unsaved_counts.clear()

    def advance(self, seconds: float) -> float:
        """Let time pass; returns the new time in seconds since 1970. Raises ValueError for a step back."""
        self.clock.advance(seconds)
        self._storage.keep_fact("clock_offset_s", self.clock.offset_s)
        return self.clock.now_s()

    def ledger(self, since: int, limit: int) -> list[dict[str, Any]]:
        return self._storage.ledger(since, limit)

    def calls(self) -> list[dict[str, Any]]:
        """How often each action was called."""
        return [
            {"provider": provider, "account": account, "region": region, "action": action, "count": count}
            for (provider, account, region, action), count in sorted(self._counted.items())
        ]

    def push_of(self, machine_id: str) -> Push | None:
        """What a machine's load is held at, and its case."""
        push, case = self.pushes.of(machine_id), self.cases.of(machine_id)
        held = push if push is not None and push.holds(self.clock.now_s()) else None
        if case is None:
            return held
        return Push({}, None, case) if held is None else Push(held.values, held.until_s, case)

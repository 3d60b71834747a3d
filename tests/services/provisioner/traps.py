"""How does a test kill a replica at a boundary of the journal, with several sagas at several boundaries at once?"""

import asyncio
from typing import Any

import pytest

from shared.db import sagas


class Traps:
    """Holds one saga at each of several boundaries; `spring` ends them there as a kill would: nothing after it runs."""

    def __init__(self, names: list[str]) -> None:
        self._armed = set(names)
        self._sprung = asyncio.Event()
        self.caught: asyncio.Queue[str] = asyncio.Queue()

    async def pass_by(self, name: str) -> None:
        if name in self._armed:
            self._armed.discard(name)
            self.caught.put_nowait(name)
            await self._sprung.wait()
            raise asyncio.CancelledError

    def spring(self) -> None:
        self._sprung.set()


def set_journal_traps(monkeypatch: pytest.MonkeyPatch, traps: Traps) -> None:
    """`begin <step>` is before the journal writes a step's intent, `store <step>` before it writes the step's end."""
    start_step, finish_step = sagas.start_step, sagas.finish_step

    async def start(work: Any, saga_id: Any, name: str, sequence: int) -> Any:
        await traps.pass_by(f"begin {name}")
        return await start_step(work, saga_id, name, sequence)

    async def finish(work: Any, saga_id: Any, name: str, output: Any) -> None:
        await traps.pass_by(f"store {name}")
        await finish_step(work, saga_id, name, output)

    monkeypatch.setattr(sagas, "start_step", start)
    monkeypatch.setattr(sagas, "finish_step", finish)

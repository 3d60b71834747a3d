"""How is an accepted operation kept before its client hears of it, when a hundred are accepted at once?

Together: what is accepted while a transaction is under way waits for the next one, which stores all of it (group
commit, as databases do with their logs). Alone, an operation is stored at once.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from services.gateway.storage import operations
from shared.db.engine import Database
from shared.messages.context import Context
from shared.messages.operations import Operation


@dataclass(slots=True, eq=False)
class _Waiting:
    context: Context
    operation: Operation
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class AcceptedOperations:
    """The accepted operations of one gateway process on their way into its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._storing: asyncio.Task[None] | None = None

    async def keep(self, context: Context, operation: Operation) -> None:
        """Return when it is stored. Raises what the database raised."""
        waiting = _Waiting(context, operation)
        self._waiting.append(waiting)
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        await waiting.done

    async def _store(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            by_organization: dict[UUID | None, list[_Waiting]] = defaultdict(list)
            for each in batch:
                by_organization[each.context.organization].append(each)
            await asyncio.gather(*(self._store_those(those) for those in by_organization.values()))

    async def _store_those(self, those: list[_Waiting]) -> None:
        """Of one organization: row level security lets a transaction write no other's."""
        outcome: Exception | None = None
        try:
            async with self._database.work(those[0].context) as work:
                await operations.keep_accepted(work, [(each.operation, each.context.actor) for each in those])
        except Exception as error:  # noqa: BLE001 - each of those that wait has to hear of it
            outcome = error
        for each in those:
            if each.done.done():  # its client went away meanwhile
                continue
            if outcome is None:
                each.done.set_result(None)
            else:
                each.done.set_exception(outcome)

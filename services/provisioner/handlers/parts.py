"""How does long work wait for the long work that belongs to it, and how does it take that back?

Each part is a saga of its own: it survives a kill by itself. Whoever waits only looks at the parts' rows, so a kill of
the one that waits loses nothing either.
"""

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import STOPPING
from services.provisioner.handlers.machines import terminate_resource
from services.provisioner.handlers.resources import say
from services.provisioner.storage import fleets, resources
from shared.db import sagas
from shared.db.saga import Saga
from shared.db.work import Work
from shared.messages.fleets import FleetPart
from shared.messages.operations import Operation
from shared.messages.resources import ResourceUpdated, TerminateResource

FORGOTTEN: dict[str, Any] = {"code": "unknown_outcome", "detail": "its operation is not known any more"}


async def wait_for_parts(
    saga: Saga, deps: Deps, name: str, parts: Sequence[FleetPart], *, until_one_fails: bool = False
) -> bool:
    """A step that lasts until every part has ended, or one has failed; tells how many have. True: one has failed.

    There is no longest wait: every part has its own, and ends.
    """

    async def poll() -> dict[str, Any] | None:
        async with saga.work() as work:
            errors = await errors_of(work, parts)
        await saga.count(len(errors), len(parts))
        has_failed = any(error is not None for error in errors.values())
        done = len(errors) == len(parts) or (until_one_fails and has_failed)
        return {"ended": len(errors), "has_failed": has_failed} if done else None

    found = await saga.until(name, poll, every_s=deps.settings.machine_poll_s, timeout_s=math.inf)
    await saga.count(found["ended"], len(parts))
    return bool(found["has_failed"])


async def errors_of(work: Work, parts: Sequence[FleetPart]) -> dict[UUID, dict[str, Any] | None]:
    """The error of each part that has ended, by its resource; None for one that went well."""
    ends = await sagas.find_all(work, [part.operation for part in parts])
    return {
        part.resource: _error(ends.get(part.operation)) for part in parts if _has_ended(ends.get(part.operation))
    }  # fmt: skip


def _has_ended(row: dict[str, Any] | None) -> bool:
    return row is None or row["finished_at"] is not None


def _error(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return FORGOTTEN
    return None if row["status"] == "succeeded" else row["error"] or FORGOTTEN


async def remove_parts(saga: Saga, deps: Deps, name: str, resource_ids: Sequence[UUID]) -> None:
    """A step that terminates these resources, each by a saga of its own, and lasts until all have ended.

    What somebody else works on is waited for. What is in error is terminated too: its token is looked for once more.
    """

    async def poll() -> dict[str, Any] | None:
        async with saga.work() as work:
            await sagas.hold(work, saga.id, saga.fence)
            begun = await sagas.find_all(work, [removal_of(saga, each) for each in resource_ids])
            at_work = 0
            for resource, row in (await fleets.lock_living(work, resource_ids)).items():
                end = begun.get(removal_of(saga, resource))
                if end is None and row["operation_id"] is None:
                    await begin_removal(work, deps, resource, removal_of(saga, resource))
                at_work += end is None or end["finished_at"] is None
        return None if at_work else {}

    await saga.until(name, poll, every_s=deps.settings.machine_poll_s, timeout_s=math.inf)


def removal_of(saga: Saga, resource: UUID) -> UUID:
    """The id of the operation by which `remove_parts` terminates a resource: the same after every crash."""
    return saga.token(f"remove {resource}")


async def begin_removal(work: Work, deps: Deps, resource_id: UUID, command_id: UUID | None = None) -> Operation:
    """Accept the termination of a locked resource that nobody works on, whatever the state in which it was seen."""
    known = await resources.get(work, resource_id)
    envelope = work.about(known.id, known.version + 1)
    command = TerminateResource(**{**envelope, "id": command_id or envelope["id"]})
    resource = await resources.change(
        work, known.id, resource_status=STOPPING, status_reason=None, operation_id=command.id
    )
    say(work, ResourceUpdated, resource, "resource.terminate", {"force": False})
    return await deps.journal.accept(work, terminate_resource, command)

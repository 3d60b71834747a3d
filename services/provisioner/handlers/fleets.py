"""How are several resources provisioned together? Each by its own saga, and one more that waits for all of them.

They are accepted in one transaction, so there is never a fleet of which only some items are known. What a policy does
about a failure needs no second way of making or removing things: parts are cancelled or terminated as anybody would.
"""

from collections.abc import Sequence
from typing import Any

from services.provisioner.deps import Deps
from services.provisioner.domain.fleets import ALL_OR_NOTHING, Part, failure_of, result_of
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.handlers.parts import errors_of, removal_of, remove_parts, wait_for_parts
from services.provisioner.handlers.resources import admit
from services.provisioner.storage import fleets
from shared.bus.router import Routes
from shared.db import sagas
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import CanopyError, Conflict, FieldError, InvalidInput
from shared.kit.ids import new_id
from shared.messages.fleets import AcceptedFleet, CompleteFleet, FleetItem, FleetPart, ProvisionFleet
from shared.messages.resources import AcceptedResource, ResourceOrder

routes = Routes()


class FleetFailed(CanopyError):
    """What was ordered together could not be had as its policy wants it; `code` says what is left of it."""

    status, code, title = 502, "fleet_failed", "The resources could not be provisioned together"


@routes.request(ProvisionFleet)
async def provision_fleet(request: ProvisionFleet, deps: Deps) -> AcceptedFleet:
    """Raises InvalidInput with pointers for all items that are wrong, Conflict for an inactive provider."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        admitted = await _admit_all(work, deps, request.items)
        parts = [FleetPart(resource=each.resource.id, operation=each.operation.id) for each in admitted]
        fleet_id = new_id()
        command = CompleteFleet(**work.about(fleet_id, 1), policy=request.policy, parts=parts)
        work.audit("fleet.create", fleet_id, 1, None, {"policy": request.policy, "items": len(parts)})
        operation = await deps.journal.accept(work, complete_fleet, command, total=len(parts))
        accepted = AcceptedFleet(operation=operation, policy=request.policy, items=items_of(admitted))
        acceptance.answer(accepted)
    return accepted


def items_of(admitted: Sequence[AcceptedResource]) -> list[FleetItem]:
    return [
        FleetItem(
            index=index,
            resource=each.resource.id,
            resource_name=each.resource.resource_name,
            operation=each.operation.id,
        )
        for index, each in enumerate(admitted)
    ]


async def _admit_all(work: Work, deps: Deps, orders: Sequence[ResourceOrder]) -> list[AcceptedResource]:
    admitted: list[AcceptedResource] = []
    problems: list[FieldError] = []
    conflicts: list[Conflict] = []
    for index, order in enumerate(orders):
        try:
            admitted.append(await admit(work, deps, order))
        except InvalidInput as error:
            found = error.errors or (FieldError("", error.detail),)
            problems += [FieldError(f"/items/{index}{each.pointer}", each.detail) for each in found]
        except Conflict as error:
            conflicts.append(Conflict(f"item {index}: {error.detail}", code=error.code))
    if problems:
        raise InvalidInput("some of the items are not valid; nothing is provisioned", errors=problems)
    if conflicts:
        raise conflicts[0]
    return admitted


@routes.saga(CompleteFleet, kind="fleet.provision", target_type="fleet", total=0)
async def complete_fleet(saga: Saga, command: CompleteFleet, deps: Deps) -> dict[str, Any]:
    """Wait for items → if one failed and all are wanted: cancel, wait, remove → record result."""
    parts = command.parts
    wants_all = command.policy == ALL_OR_NOTHING
    has_failed = await wait_for_parts(saga, deps, "wait for items", parts, until_one_fails=wants_all)
    if has_failed and wants_all:
        await _take_back(saga, command, deps)

    async def record(work: Work) -> dict[str, Any]:
        """The result is stored here: also an operation that fails tells what became of each item."""
        result = result_of(command.policy, await _parts(work, saga, parts))
        await sagas.change(work, saga.id, saga.fence, result=result)
        return result

    result: dict[str, Any] = await saga.apply("record result", record)
    failure = failure_of(result)
    if failure is not None:
        code, detail = failure
        raise FleetFailed(detail, code=code)
    return result


async def _take_back(saga: Saga, command: CompleteFleet, deps: Deps) -> None:
    """Let nothing more be made, wait for what is being made or undone, and terminate what there is then."""
    parts = command.parts

    async def cancel(work: Work) -> None:
        await deps.journal.cancel(work, [part.operation for part in parts])

    await saga.apply("cancel items", cancel)
    await wait_for_parts(saga, deps, "wait for cancelled items", parts)
    await remove_parts(saga, deps, "remove items", [part.resource for part in parts])


async def _parts(work: Work, saga: Saga, parts: Sequence[FleetPart]) -> list[Part]:
    rows = await fleets.states(work, [part.resource for part in parts])
    errors = await errors_of(work, parts)
    removals = await sagas.find_all(work, [removal_of(saga, part.resource) for part in parts])
    found = []
    for part in parts:
        row, removal = rows[part.resource], removals.get(removal_of(saga, part.resource))
        is_removed = row["resource_status"] == TERMINATED
        found.append(
            Part(
                resource=part.resource,
                resource_name=row["resource_name"],
                resource_id=row["resource_id"],
                operation=part.operation,
                error=errors.get(part.resource),
                removal_error=removal["error"] if removal is not None and not is_removed else None,
                is_removed=is_removed,
            )
        )
    return found

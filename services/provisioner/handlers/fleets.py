"""How are several resources provisioned together? Each by its own saga, and one more that waits for all of them.

They are accepted in one transaction, so there is never a fleet of which only some items are known. What a policy does
about a failure needs no second way of making or removing things: parts are cancelled or terminated as anybody would.
"""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from services.provisioner.deps import Deps
from services.provisioner.domain.fleets import ALL_OR_NOTHING, Part, failure_of, result_of
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.handlers.orders import admit, place
from services.provisioner.handlers.parts import errors_of, removal_of, remove_parts, wait_for_parts
from services.provisioner.handlers.placement import Placed
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

_T = TypeVar("_T")


class FleetFailed(CanopyError):
    """What was ordered together could not be had as its policy wants it; `code` says what is left of it."""

    status, code, title = 502, "fleet_failed", "The resources could not be provisioned together"


@routes.request(ProvisionFleet)
async def provision_fleet(request: ProvisionFleet, deps: Deps) -> AcceptedFleet:
    """Raises InvalidInput with pointers for all items that are wrong, Conflict for an inactive provider."""
    placed = await _place_all(deps, request)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        admitted = await _admit_all(work, deps, list(zip(request.items, placed, strict=True)))
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


class _Problems:
    """What is wrong with the items, each by its place in the order."""

    def __init__(self) -> None:
        self._fields: list[FieldError] = []
        self._conflicts: list[Conflict] = []

    async def gather(self, index: int, work: Awaitable[_T]) -> _T | None:
        """What came of one item; None when it was refused."""
        try:
            return await work
        except InvalidInput as error:
            found = error.errors or (FieldError("", error.detail),)
            self._fields += [FieldError(f"/items/{index}{each.pointer}", each.detail) for each in found]
        except Conflict as error:
            self._conflicts.append(Conflict(f"item {index}: {error.detail}", code=error.code))
        return None

    def check(self) -> None:
        """Raise InvalidInput naming all that is wrong, or the first Conflict."""
        if self._fields:
            raise InvalidInput("some of the items are not valid; nothing is provisioned", errors=self._fields)
        if self._conflicts:
            raise self._conflicts[0]


async def _place_all(deps: Deps, request: ProvisionFleet) -> list[Placed | None]:
    """The offers for each item that leaves its place open; those that ask for the same are ranked once."""
    problems, known = _Problems(), dict[str, Placed]()
    placed: list[Placed | None] = []
    for index, order in enumerate(request.items):
        asked = order.model_dump_json(exclude={"resource_name", "tags", "project", "environment"})
        found = known.get(asked) or await problems.gather(index, place(deps, request, order))
        if found is not None:
            known[asked] = found
        placed.append(found)
    problems.check()
    return placed


async def _admit_all(
    work: Work, deps: Deps, orders: Sequence[tuple[ResourceOrder, Placed | None]]
) -> list[AcceptedResource]:
    problems = _Problems()
    admitted = [
        await problems.gather(index, admit(work, deps, order, placed)) for index, (order, placed) in enumerate(orders)
    ]
    problems.check()
    return [each for each in admitted if each is not None]


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

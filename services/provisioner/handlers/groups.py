"""How do a resource's copies become more or fewer? Each is made or removed by its own saga; one more waits for them.

Who scales a group holds its original's row: two at a time would give the same names and remove the same members.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.provisioner.deps import Deps
from services.provisioner.domain.changes import base_of
from services.provisioner.domain.fleets import brief
from services.provisioner.domain.groups import (
    SCALE_OUT,
    currency_of,
    group_impact,
    hourly_cost_of,
    leaving,
    next_names,
    total,
)
from services.provisioner.domain.resources import check_idle, check_machine, next_status
from services.provisioner.handlers.fleets import items_of
from services.provisioner.handlers.guards import check_guards
from services.provisioner.handlers.machines import reason_of
from services.provisioner.handlers.parts import begin_removal, errors_of, remove_parts, wait_for_parts
from services.provisioner.handlers.resources import admit
from services.provisioner.handlers.scaling import schema_of
from services.provisioner.storage import fleets, resources, scaling
from shared.bus.router import Routes
from shared.clouds.registry import machine_types_of
from shared.db import sagas
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import CanopyError, Conflict, InvalidInput
from shared.messages.groups import AcceptedGroup, CompleteGroup, GroupPart, ScaleGroup
from shared.messages.resources import AcceptedResource, Resource, ResourceOrder, ResourceUpdated

routes = Routes()


class GroupFailed(CanopyError):
    """Not all members could be made or removed."""

    status, code, title = 502, "group_incomplete", "The group could not be scaled as wanted"


@routes.request(ScaleGroup)
async def scale_group(request: ScaleGroup, deps: Deps) -> AcceptedGroup:
    """Raises Conflict: in a wrong state, while it is scaled, too few members, what needs force; PermissionDenied."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        asked = await resources.get(work, request.resource)
        original = await resources.lock(work, asked.group_id or asked.id)
        members = await fleets.lock_group(work, original.id)
        known = _living(request, members)
        check_idle(await scaling.at_work(work, original.id))
        grows = request.action == SCALE_OUT
        changed = await _grow(work, deps, request, known, members, original) if grows else (
            await _shrink(work, deps, request, members, original)
        )  # fmt: skip
        original = await _named(work, original)
        accepted = await _begin(work, deps, request, original, members, changed)
        acceptance.answer(accepted)
    return accepted


def _living(request: ScaleGroup, members: Sequence[Resource]) -> Resource:
    """The member that was asked for. Raises Stale, and Conflict when it is terminated or comes in no numbers."""
    known = next((each for each in members if each.id == request.resource), None)
    if known is None:
        raise Conflict("a terminated resource cannot be scaled", code="already_terminated")
    request.check_version("resource", known.version)
    check_machine(known.resource_type)
    return known


async def _grow(
    work: Work, deps: Deps, request: ScaleGroup, known: Resource, members: Sequence[Resource], original: Resource
) -> list[AcceptedResource]:
    """Copies of the member that was asked for."""
    taken = {each.resource_name for each in members}
    names = next_names(original.resource_name, taken, request.count)
    copied = known.model_dump(include=set(ResourceOrder.model_fields))
    copied["configuration"] = base_of(schema_of(known), known.configuration)
    try:
        orders = [ResourceOrder(**{**copied, "resource_name": name}) for name in names]
        return [await admit(work, deps, order, group_id=original.id) for order in orders]
    except InvalidInput as error:
        raise Conflict(f"it cannot be made a second time: {error.detail}", code="not_copyable") from None
    except ValidationError as error:
        fields = ", ".join(str(each["loc"][0]) for each in error.errors())
        raise Conflict(f"it cannot be made a second time because of its {fields}", code="not_copyable") from None


async def _shrink(
    work: Work, deps: Deps, request: ScaleGroup, members: Sequence[Resource], original: Resource
) -> list[AcceptedResource]:
    """Without the newest ones."""
    removed = []
    for each in leaving(members, original.id, request.count, force=request.force):
        check_idle(await resources.operation_of(work, each.id))
        next_status("terminate", each.resource_status)
        await check_guards(work, each, force=request.force, role=request.role)
        operation = await begin_removal(work, deps, each.id)
        removed.append(AcceptedResource(operation=operation, resource=each))
    return removed


async def _named(work: Work, original: Resource) -> Resource:
    """The original as it is now; with its first copies it becomes a member of its own group."""
    if original.group_id is not None:
        return await resources.get(work, original.id)
    resource = await resources.change(work, original.id, group_id=original.id)
    work.emit(ResourceUpdated(**work.about(resource.id, resource.version), resource=resource))
    return resource


async def _begin(
    work: Work,
    deps: Deps,
    request: ScaleGroup,
    original: Resource,
    members: Sequence[Resource],
    changed: Sequence[AcceptedResource],
) -> AcceptedGroup:
    """The history's row and the saga that waits."""
    parts = [
        GroupPart(resource=each.resource.id, operation=each.operation.id, hourly_cost=_hourly_cost(each, members))
        for each in changed
    ]
    command = CompleteGroup(
        **work.about(original.id, original.version), action=request.action, count_before=len(members), parts=parts
    )
    await scaling.begin(work, _history(request, original, members, changed) | {"id": command.id})
    details = {"action": request.action, "count": request.count, "force": request.force}
    work.audit("resource.scale", original.id, original.version, original.resource_name, details)
    operation = await deps.journal.accept(work, complete_group, command, total=len(parts))
    return AcceptedGroup(operation=operation, resource=original, members=items_of(changed))


def _hourly_cost(changed: AcceptedResource, members: Sequence[Resource]) -> float | None:
    """A copy costs what a member of its size costs: costs has not seen the copy yet."""
    alike = [each for each in members if each.configuration == changed.resource.configuration]
    return next((cost for each in alike if (cost := hourly_cost_of(each)) is not None), None)


def _history(
    request: ScaleGroup, original: Resource, members: Sequence[Resource], changed: Sequence[AcceptedResource]
) -> dict[str, Any]:
    moved = [each.resource for each in changed]
    gone = {each.id for each in moved}
    grows = request.action == SCALE_OUT
    after = [*members, *moved] if grows else [each for each in members if each.id not in gone]
    return {
        "resource_id": original.id,
        "action": request.action,
        "before_configuration": {"count": len(members)},
        "after_configuration": {"count": len(after)},
        "trigger": request.trigger,
        "reason": request.reason,
        "hourly_cost_before": total([hourly_cost_of(each) for each in members]),
        "performance_impact": group_impact(machine_types_of(original.provider_name), members, after),
        "created_by": request.actor,
    }


async def _scaling_failed(work: Work, command: CompleteGroup, error: dict[str, Any], _: Deps) -> None:
    """The history ends too, where the saga had not come so far as to write it."""
    if (await scaling.get(work, command.id)).success is None:
        await scaling.finish(work, command.id, success=False, error=reason_of(error))


@routes.saga(CompleteGroup, kind="resource.scale", target_type="resource", total=0, on_failure=_scaling_failed)
async def complete_group(saga: Saga, command: CompleteGroup, deps: Deps) -> dict[str, Any]:
    """Wait for members → remove what could not be made → record scaled."""
    parts = command.parts
    has_failed = await wait_for_parts(saga, deps, "wait for members", parts)
    if has_failed and command.action == SCALE_OUT:

        async def find_failed(work: Work) -> list[str]:
            errors = await errors_of(work, parts)
            return [str(part.resource) for part in parts if errors.get(part.resource) is not None]

        failed = await saga.apply("find what failed", find_failed)
        await remove_parts(saga, deps, "remove what failed", [UUID(each) for each in failed])

    async def record(work: Work) -> dict[str, Any]:
        return await _record(work, saga, command)

    result: dict[str, Any] = await saga.apply("record scaled", record)
    if result["failed"]:
        raise GroupFailed(result["detail"])
    return result


async def _record(work: Work, saga: Saga, command: CompleteGroup) -> dict[str, Any]:
    """The end: history and audit. The result is stored here: one that fails tells what became of each member too."""
    errors = await errors_of(work, command.parts)
    done = [part for part in command.parts if errors.get(part.resource) is None]
    failed = len(command.parts) - len(done)
    change = len(done) if command.action == SCALE_OUT else -len(done)
    cause = next((brief(error)["detail"] for error in errors.values() if error is not None), "")
    detail = f"{failed} of {len(command.parts)} failed: {cause}" if failed else ""
    history = await scaling.finish(work, command.id, success=not failed, error=detail or None)
    original = await resources.get(work, command.aggregate_id)
    await _note_cost(work, command, done, original)
    result = {
        "action": command.action,
        "before": command.count_before,
        "after": command.count_before + change,
        "failed": failed,
        "detail": detail,
        "items": [_item(part, errors.get(part.resource)) for part in command.parts],
    }
    await sagas.change(work, saga.id, saga.fence, result=result)
    details = {"action": history.action, "before": result["before"], "after": result["after"], "failed": failed}
    work.audit("resource.scaled", original.id, original.version, original.resource_name, details)
    return result


async def _note_cost(work: Work, command: CompleteGroup, done: Sequence[GroupPart], original: Resource) -> None:
    """What the change costs an hour; nothing where one of the prices is not known."""
    moved = total([part.hourly_cost for part in done])
    if moved is not None and done:
        sign = 1 if command.action == SCALE_OUT else -1
        await scaling.note_cost_change(work, command.id, sign * moved, currency_of(original.cost_tracking))


def _item(part: GroupPart, error: dict[str, Any] | None) -> dict[str, Any]:
    return {"resource": str(part.resource), "operation": str(part.operation),
            "error": None if error is None else brief(error)}  # fmt: skip

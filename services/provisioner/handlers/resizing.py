"""How does a machine get another type? A saga: stop, resize, start; and back again when the new type cannot be had.

Undoing looks at the machine and goes one step nearer to what it was, until it is that: it needs no memory of how far
the saga came, so a kill, a lost answer or a repeat at any point of it changes nothing about its end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import ERROR, RUNNING, STARTING, STOPPED, STOPPING, TERMINATED, size_category
from services.provisioner.domain.scaling import FIELD
from services.provisioner.handlers.machines import (
    GONE_REASON,
    VANISHED,
    Order,
    ThingFailed,
    addresses_of,
    or_vanished,
    present,
    reason_of,
    settle,
    take_order,
    vanished,
)
from services.provisioner.storage import resources, scaling
from shared.bus.router import Routes
from shared.clouds import errors as clouds
from shared.clouds.models import Machine, MachineState
from shared.db import sagas
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import retry_after_s
from shared.messages.resources import ResourceFailed, ResourceScaled, ResourceTerminated, ResourceUpdated
from shared.messages.scaling import ResizeResource

routes = Routes()

_IN_MOTION = (MachineState.PENDING, MachineState.STOPPING)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Resizing:
    """One scaling at work: the machine as it was found, and where it is to go."""

    order: Order
    saga: Saga
    command: ResizeResource
    running: bool
    """Whether it ran, and so has to run in the end."""
    before: str
    """The type that it had."""

    @property
    def machine_id(self) -> str:
        return str(self.order.thing_id)

    async def until(self, name: str, poll: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
        settings = self.order.deps.settings
        found: dict[str, Any] = await self.saga.until(
            name, poll, every_s=settings.machine_poll_s, timeout_s=settings.machine_wait_s
        )
        return found

    async def stop(self, _: UUID) -> None:
        machines = await self.order.machines()
        await or_vanished(machines.stop(self.order.region, self.machine_id))

    async def stopped(self) -> dict[str, Any] | None:
        return {} if (await present(self.order)).state is MachineState.STOPPED else None

    async def resize(self, _: UUID) -> None:
        """A repeat after a lost answer finds the type that it wants: the port reads before it writes."""
        machines = await self.order.machines()
        try:
            await machines.resize(self.order.region, self.machine_id, self.command.instance_type)
        except clouds.NotFound:
            raise vanished() from None
        except clouds.IncorrectState as error:
            await self._explain(error)
        except clouds.NoCapacity as error:
            raise _none_left(error) from None

    async def resized(self) -> dict[str, Any] | None:
        machine = await present(self.order)
        arrived = machine.state is MachineState.STOPPED and machine.instance_type == self.command.instance_type
        return {} if arrived else None

    async def start(self, _: UUID) -> None:
        """No capacity is not waited for, as a create does: the machine stands still meanwhile."""
        machines = await self.order.machines()
        try:
            await or_vanished(machines.start(self.order.region, self.machine_id))
        except clouds.NoCapacity as error:
            raise _none_left(error) from None

    async def started(self) -> dict[str, Any] | None:
        machine = await present(self.order)
        return addresses_of(machine) if machine.state is MachineState.RUNNING else None

    async def restore(self, _: object) -> None:
        """Undo: the machine as it was, and the row as the machine is."""
        machine = await _put_back(self)
        async with self.saga.work() as work:
            await sagas.hold(work, self.saga.id, self.saga.fence)
            await _change(work, self.command.aggregate_id, _facts_of(machine))

    async def note_stopped(self, work: Work) -> None:
        await _change(work, self.command.aggregate_id, {"resource_status": STOPPED, "public_ip": None})

    async def note_size(self, work: Work) -> None:
        status = STARTING if self.running else STOPPED
        values = {"resource_status": status, FIELD: self.command.instance_type}
        await _change(work, self.command.aggregate_id, values)

    async def _explain(self, error: clouds.IncorrectState) -> None:
        """The provider says that it is not stopped, though it was: reads may be behind, or somebody else changed it."""
        machine = await present(self.order)
        if machine.state is MachineState.STOPPED or machine.state in _IN_MOTION:
            raise clouds.StillWorking(
                error.code, f"{self.machine_id} is {machine.state}", provider=error.provider, operation=error.operation
            ) from None
        raise ThingFailed(f"{self.machine_id} is {machine.state}: somebody else changed it") from None


async def _scaling_failed(work: Work, command: ResizeResource, error: dict[str, Any], _: Deps) -> None:
    """Everything was undone, and the row says what came of that; where nothing had begun it is what it was."""
    reason = f"scaling to {command.instance_type} failed: {reason_of(error)}"[:1000]
    await scaling.finish(work, command.id, success=False, error=reason)
    if error.get("code") == VANISHED:
        await settle(work, command.aggregate_id, ResourceTerminated, TERMINATED, GONE_REASON, {})
        return
    known = await resources.get(work, command.aggregate_id)
    untouched = known.resource_status == STOPPING
    status = command.resource_status if untouched else known.resource_status
    event = ResourceFailed if status == ERROR else ResourceUpdated
    await settle(work, command.aggregate_id, event, status, reason, {})


@routes.saga(ResizeResource, kind="resource.scale", target_type="resource", total=10, on_failure=_scaling_failed)
async def resize_resource(saga: Saga, command: ResizeResource, deps: Deps) -> dict[str, Any]:
    """Take order → look at machine → stop it when it runs → resize machine → start it when it ran → record scaled."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def look(_: UUID) -> dict[str, Any]:
        return await _look(order)

    seen = await saga.step("look at machine", look)
    resizing = _Resizing(order, saga, command, running=seen["running"], before=seen["instance_type"])
    if resizing.running:
        await saga.step("stop machine", resizing.stop, undo=resizing.restore)
        await resizing.until("wait until stopped", resizing.stopped)
        await saga.apply("note stopped", resizing.note_stopped)
    await saga.step("resize machine", resizing.resize, undo=None if resizing.running else resizing.restore)
    await resizing.until("wait until resized", resizing.resized)
    await saga.apply("note size", resizing.note_size)
    facts: dict[str, Any] = {}
    if resizing.running:
        await saga.step("start machine", resizing.start)
        facts = await resizing.until("wait until running", resizing.started)

    async def record(work: Work) -> None:
        await _record(work, resizing, facts)

    await saga.apply("record scaled", record)
    return {"resource_id": order.thing_id, "before": resizing.before, "after": command.instance_type}


async def _look(order: Order) -> dict[str, Any]:
    """What the machine is now, which may be another thing than the row says. Raises ThingFailed, StillWorking."""
    machine = await present(order)
    if machine.state in _IN_MOTION:
        raise clouds.StillWorking(
            "InMotion", f"{machine.id} is {machine.state}", provider=order.facts["provider_id"], operation="look"
        )
    return {"running": machine.state is MachineState.RUNNING, "instance_type": machine.instance_type}


async def _put_back(resizing: _Resizing) -> Machine | None:
    """Bring the machine back to its old type and state; returns it as it was seen last, None when nobody may see it.

    Ends when it is there, when the provider refuses for good, or after the longest wait (the old size may be gone by
    now). An answer that is missing is asked for again by the journal. Raises CloudError.
    """
    deps = resizing.order.deps
    limit = deps.clock.now() + timedelta(seconds=deps.settings.machine_wait_s)
    while True:
        machine: Machine | None = None
        delay_s = deps.settings.machine_poll_s
        is_late = deps.clock.now() > limit
        try:
            machine = await present(resizing.order)
            if await _one_step_back(resizing, machine):
                return machine
        except ThingFailed:
            return None
        except clouds.CloudError as error:
            wait_s = retry_after_s(error)
            if wait_s is None and not isinstance(error, clouds.IncorrectState):
                log.warning("a machine cannot be put back", machine=resizing.machine_id, code=error.code)
                return machine
            if is_late and error.outcome_unknown:
                raise
            delay_s = max(delay_s, wait_s or 0.0)
        if is_late:
            return machine
        await asyncio.sleep(delay_s)


async def _one_step_back(resizing: _Resizing, machine: Machine) -> bool:
    """True when the machine is what it was. One that somebody else started meanwhile is left running."""
    machines = await resizing.order.machines()
    here = (resizing.order.region, resizing.machine_id)
    if machine.state in _IN_MOTION:
        return False
    if machine.instance_type != resizing.before:
        if machine.state is MachineState.RUNNING:
            await machines.stop(*here)
        else:
            await machines.resize(*here, resizing.before)
        return False
    if resizing.running and machine.state is MachineState.STOPPED:
        await machines.start(*here)
        return False
    return True


def _facts_of(machine: Machine | None) -> dict[str, Any]:
    """What the row says of a machine that was put back, or of one that could not be."""
    if machine is None or machine.state not in {MachineState.RUNNING, MachineState.STOPPED}:
        return {"resource_status": ERROR}
    status = RUNNING if machine.state is MachineState.RUNNING else STOPPED
    return {"resource_status": status, FIELD: machine.instance_type, **addresses_of(machine)}


async def _change(work: Work, target: UUID, values: dict[str, Any]) -> None:
    """The row on the way, and its event; a type among the values goes into the configuration."""
    columns = {name: value for name, value in values.items() if name != FIELD}
    if FIELD in values:
        columns |= await _sized(work, target, values[FIELD])
    resource = await resources.change(work, target, **columns)
    work.emit(ResourceUpdated(**work.about(resource.id, resource.version), resource=resource))


async def _sized(work: Work, target: UUID, instance_type: str) -> dict[str, Any]:
    """The columns that a type decides."""
    known = await resources.get(work, target)
    configuration = {**known.configuration, FIELD: instance_type}
    return {"configuration": configuration, "size_category": size_category(configuration)}


async def _record(work: Work, resizing: _Resizing, facts: dict[str, Any]) -> None:
    """The end of one that went well: row, history, event, audit."""
    done = await scaling.finish(work, resizing.command.id, success=True)
    status = RUNNING if resizing.running else STOPPED
    resource = await resources.change(
        work, resizing.command.aggregate_id, operation_id=None, resource_status=status, status_reason=None, **facts
    )
    before = {**done.before_configuration, FIELD: resizing.before}
    work.emit(
        ResourceScaled(
            **work.about(resource.id, resource.version), resource=resource, action=done.action, trigger=done.trigger,
            before=before, after=resource.configuration,
        )
    )  # fmt: skip
    details = {"resource_status": status, "from": resizing.before, "to": resizing.command.instance_type}
    work.audit("resource.scaled", resource.id, resource.version, resource.resource_name, details)


def _none_left(error: clouds.NoCapacity) -> ThingFailed:
    """As a failure that is not repeated."""
    return ThingFailed(str(error), code=error.code)

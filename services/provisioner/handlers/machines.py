"""How does long work on a machine survive? Sagas on the journal: create, stop, start, terminate; and its tags.

Every step may be cut off by a kill and called again, here or on another replica. What makes that harmless: a create
carries the step's token as the provider's idempotency token and as a tag, everything else is idempotent at the cloud.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import ERROR, RUNNING, STOPPED, TERMINATED, cloud_tags
from services.provisioner.storage import resources
from shared.bus.router import Routes
from shared.clouds import errors as clouds
from shared.clouds.capabilities import Machines, machines_of
from shared.clouds.models import Machine, MachineSpec, MachineState
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import CanopyError, RetryLater, retry_after_s
from shared.messages.base import Command
from shared.messages.context import Context
from shared.messages.resources import (
    PowerOffResource,
    PowerOnResource,
    ProvisionResource,
    Resource,
    ResourceEvent,
    ResourceFailed,
    ResourceStarted,
    ResourceStopped,
    ResourceTerminated,
    ResourceUpdated,
    TagResource,
    TerminateResource,
)

routes = Routes()

CREATE = "create machine"
VANISHED = "vanished"
GONE_REASON = "it does not exist at the provider any more"
GONE = (MachineState.SHUTTING_DOWN, MachineState.TERMINATED)

log = structlog.get_logger(__name__)


class MachineFailed(CanopyError):
    """The machine went another way than it was sent; `code` `vanished` when it does not exist any more."""

    status, code, title = 502, "machine_failed", "The machine did not reach its state"


@dataclass(frozen=True, slots=True)
class Order:
    """What a saga works on: taken from the row once, so that every repeat of a call says the same."""

    deps: Deps
    organization: UUID
    facts: dict[str, Any]

    @property
    def region(self) -> str:
        return str(self.facts["region"])

    @property
    def machine_id(self) -> str | None:
        found: str | None = self.facts["resource_id"]
        return found

    async def machines(self) -> Machines:
        """Opened at each call: credentials may have been renewed since."""
        _, cloud = await self.deps.account(self.organization, UUID(self.facts["provider_id"]))
        return machines_of(cloud)

    def spec(self) -> MachineSpec:
        return MachineSpec.from_configuration(
            self.facts["configuration"], token=self.facts["token"], tags=self.facts["tags"]
        )


async def take_order(saga: Saga, resource_id: UUID, deps: Deps, token: str | None = None) -> Order:
    """A step: read the row, and keep the token under which a create will be known."""

    async def take(work: Work) -> dict[str, Any]:
        if token is not None:
            await resources.remember_token(work, resource_id, token)
        resource = await resources.lock(work, resource_id)
        kept = await resources.token_of(work, resource_id)
        return {
            "provider_id": str(resource.provider_id),
            "region": resource.region,
            "resource_id": resource.resource_id,
            "configuration": resource.configuration,
            "tags": _tags_of(resource),
            "token": kept,
        }

    facts = await saga.apply("take order", take)
    organization = saga.context.organization
    if organization is None:
        raise LookupError("a resource belongs to an organization")
    return Order(deps, organization, facts)


async def _provisioning_failed(work: Work, command: ProvisionResource, error: dict[str, Any], _: Deps) -> None:
    """Everything was undone: the row says why."""
    await settle(work, command.aggregate_id, ResourceFailed, ERROR, reason_of(error), {"resource_id": None})


async def _transition_failed(work: Work, command: Command, error: dict[str, Any], _: Deps) -> None:
    """A machine that vanished is terminated; otherwise nobody knows its state until it is asked to change again."""
    if error.get("code") == VANISHED:
        await settle(work, command.aggregate_id, ResourceTerminated, TERMINATED, GONE_REASON, {})
        return
    await settle(work, command.aggregate_id, ResourceFailed, ERROR, reason_of(error), {})


@routes.saga(
    ProvisionResource, kind="resource.provision", target_type="resource", total=5, on_failure=_provisioning_failed
)
async def provision_resource(saga: Saga, command: ProvisionResource, deps: Deps) -> dict[str, Any]:
    """Take order → create machine → note machine → wait until running → record running."""
    order = await take_order(saga, command.aggregate_id, deps, token=str(saga.token(CREATE)))

    async def create(_: UUID) -> str:
        machines, spec = await order.machines(), order.spec()
        known = await machines.find_by_token(order.region, spec.token)
        return (known or await machines.create(order.region, spec)).id

    async def remove(machine_id: str | None) -> None:
        await _remove(order, machine_id)

    async def note(work: Work) -> None:
        resource = await resources.change(work, command.aggregate_id, resource_id=machine_id, placed_at=work.now)
        work.emit(ResourceUpdated(**work.about(resource.id, resource.version), resource=resource))

    async def running() -> dict[str, Any] | None:
        return await _running(order, machine_id)

    machine_id = await saga.step(CREATE, create, undo=remove)
    await saga.apply("note machine", note)
    facts = await saga.until("wait until running", running, every_s=deps.settings.machine_poll_s,
                             timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record running", _recording(command.aggregate_id, ResourceStarted, RUNNING, facts))
    return {"resource_id": machine_id}


async def _remove(order: Order, machine_id: str | None) -> None:
    """Terminate what the create made, also when nobody knows whether it made anything.

    A create that timed out may have succeeded, and EC2 shows a new machine to reads only after a while ("eventual
    consistency"): a look-up by token that finds nothing proves nothing, and terminating "what carries the token" would
    miss it. But the create itself is idempotent on the token: repeated, it answers with the machine that exists, or
    makes one, or is refused. In the first two cases we know the id and terminate it; a refusal (no capacity, quota, bad
    request) proves that there is none, because a known token is answered before anything else is checked. Without
    answer or when throttled the undoing is repeated until it is known. Credentials that are refused now cannot undo
    anything: then the row keeps the token, and deleting the resource later finds the machine by it.
    """
    machines = await order.machines()
    try:
        known = machine_id or await _learn_id(machines, order)
        if known is not None:
            await machines.terminate(order.region, known)
    except (clouds.AuthFailed, clouds.PermissionDenied) as error:
        log.warning("the cloud does not let us remove what a create made", token=order.facts["token"], code=error.code)


async def _learn_id(machines: Machines, order: Order) -> str | None:
    spec = order.spec()
    known = await machines.find_by_token(order.region, spec.token)
    if known is not None:
        return known.id
    try:
        return (await machines.create(order.region, spec)).id
    except (clouds.NoCapacity, clouds.QuotaExceeded, clouds.InvalidRequest, clouds.NotFound, clouds.Conflict):
        return None


async def _running(order: Order, machine_id: str) -> dict[str, Any] | None:
    """Zone and addresses once it runs; None while it starts or is not visible yet. Raises MachineFailed."""
    try:
        machine = await (await order.machines()).get(order.region, machine_id)
    except clouds.NotFound:
        return None
    if machine.state is MachineState.RUNNING:
        return addresses_of(machine)
    if machine.state in GONE:
        raise MachineFailed(machine.state_reason or "the provider terminated it while it started")
    return None


@routes.saga(PowerOffResource, kind="resource.stop", target_type="resource", total=4, on_failure=_transition_failed)
async def power_off_resource(saga: Saga, command: PowerOffResource, deps: Deps) -> dict[str, Any]:
    """Take order → stop machine → wait until stopped → record stopped."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def stop(_: UUID) -> None:
        machines = await order.machines()
        await or_vanished(machines.stop(order.region, str(order.machine_id)))

    async def stopped() -> dict[str, Any] | None:
        machine = await present(order)
        return {} if machine.state is MachineState.STOPPED else None

    await saga.step("stop machine", stop)
    await saga.until("wait until stopped", stopped, every_s=deps.settings.machine_poll_s,
                     timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record stopped", _recording(command.aggregate_id, ResourceStopped, STOPPED, {"public_ip": None}))
    return {"resource_id": order.machine_id}


@routes.saga(PowerOnResource, kind="resource.start", target_type="resource", total=4, on_failure=_transition_failed)
async def power_on_resource(saga: Saga, command: PowerOnResource, deps: Deps) -> dict[str, Any]:
    """Take order → start machine → wait until running → record running."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def start(_: UUID) -> None:
        machines = await order.machines()
        await or_vanished(machines.start(order.region, str(order.machine_id)))

    async def running() -> dict[str, Any] | None:
        machine = await present(order)
        return addresses_of(machine) if machine.state is MachineState.RUNNING else None

    await saga.step("start machine", start)
    facts = await saga.until("wait until running", running, every_s=deps.settings.machine_poll_s,
                             timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record running", _recording(command.aggregate_id, ResourceStarted, RUNNING, facts))
    return {"resource_id": order.machine_id}


@routes.saga(
    TerminateResource, kind="resource.terminate", target_type="resource", total=4, on_failure=_transition_failed
)
async def terminate_resource(saga: Saga, command: TerminateResource, deps: Deps) -> dict[str, Any]:
    """Take order → terminate machine → wait until terminated → record terminated. What is not there is success."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def terminate(_: UUID) -> str | None:
        machines = await order.machines()
        machine_id = order.machine_id
        if machine_id is None and order.facts["token"] is not None:
            known = await machines.find_by_token(order.region, order.facts["token"])
            machine_id = None if known is None else known.id
        if machine_id is not None:
            await machines.terminate(order.region, machine_id)
        return machine_id

    async def terminated() -> dict[str, Any] | None:
        if machine_id is None:
            return {}
        try:
            machine = await (await order.machines()).get(order.region, machine_id)
        except clouds.NotFound:
            return {}
        return {} if machine.state is MachineState.TERMINATED else None

    machine_id = await saga.step("terminate machine", terminate)
    await saga.until("wait until terminated", terminated, every_s=deps.settings.machine_poll_s,
                     timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record terminated", _recording(command.aggregate_id, ResourceTerminated, TERMINATED, {}))
    return {"resource_id": machine_id}


@routes.command(TagResource)
async def tag_resource(command: TagResource, deps: Deps) -> None:
    """Put the row's tags on the machine, until the row has stood still meanwhile: the newest tags win.

    Raises RetryLater while the cloud is away, so that an outage buries nothing.
    """
    context = Context.of(command)
    version = -1
    while True:
        async with deps.database.work(context) as work:
            resource = await resources.get(work, command.aggregate_id)
        if resource.version == version or resource.resource_id is None or resource.resource_status == TERMINATED:
            return
        version = resource.version
        try:
            _, cloud = await deps.account(resource.organization_id, resource.provider_id)
            await machines_of(cloud).tag(resource.region, resource.resource_id, _tags_of(resource))
        except clouds.NotFound:
            return
        except clouds.CloudError as error:
            delay = retry_after_s(error)
            if delay is None:
                raise
            raise RetryLater(max(5.0, delay), str(error)) from None


async def present(order: Order) -> Machine:
    """The machine as it is. Raises MachineFailed `vanished`."""
    try:
        machine = await (await order.machines()).get(order.region, str(order.machine_id))
    except clouds.NotFound:
        raise vanished() from None
    if machine.state in GONE:
        raise vanished()
    return machine


async def or_vanished(call: Awaitable[None]) -> None:
    """Await a change of a machine; one that is not there, or never will be again, has vanished."""
    try:
        await call
    except (clouds.NotFound, clouds.IncorrectState):
        raise vanished() from None


def vanished() -> MachineFailed:
    return MachineFailed("the machine does not exist at the provider any more", code=VANISHED)


def _recording(
    target: UUID, event: type[ResourceEvent], status: str, values: dict[str, Any]
) -> Callable[[Work], Awaitable[None]]:
    """The last step of a saga that went well."""

    async def record(work: Work) -> None:
        await settle(work, target, event, status, None, values)

    return record


async def settle(
    work: Work, target: UUID, event: type[ResourceEvent], status: str, reason: str | None, values: dict[str, Any]
) -> None:
    """The end of an operation: the row, its event and its audit entry."""
    if status == TERMINATED:
        values = {**values, "terminated_at": work.now, "private_ip": None, "public_ip": None}
    resource = await resources.change(
        work, target, operation_id=None, resource_status=status, status_reason=reason, **values
    )
    work.emit(event(**work.about(resource.id, resource.version), resource=resource))
    details = {"resource_status": status, "reason": reason}
    work.audit(f"resource.{event.name}", resource.id, resource.version, resource.resource_name, details)


def _tags_of(resource: Resource) -> dict[str, str]:
    return cloud_tags(resource.resource_name, resource.environment, resource.project, resource.tags)


def addresses_of(machine: Machine) -> dict[str, Any]:
    return {"availability_zone": machine.zone, "private_ip": machine.private_ip, "public_ip": machine.public_ip}


def reason_of(error: dict[str, Any]) -> str:
    return f"{error.get('detail') or error.get('title')} ({error.get('code')})"[:1000]

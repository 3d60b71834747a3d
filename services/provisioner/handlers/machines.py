"""How does long work on a resource survive? Sagas on the journal: create, stop, start, terminate; and its tags.

Every step may be cut off by a kill and called again, here or on another replica. What makes that harmless: a create
carries the step's token as the provider's idempotency token and as a tag, everything else is idempotent at the cloud.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import (
    ERROR,
    RUNNING,
    SERVING,
    STOPPED,
    TERMINATED,
    cloud_tags,
    noun_of,
)
from services.provisioner.domain.sightings import Found
from services.provisioner.handlers.things import Things, remove_made, things_of
from services.provisioner.storage import resources
from shared.bus.router import Routes
from shared.clouds import errors as clouds
from shared.clouds.capabilities import Cloud, Machines, machines_of
from shared.clouds.models import Machine, MachineState
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
"""The step whose token everything that is created is known by, whatever its kind."""
VANISHED = "vanished"
GONE_REASON = "it does not exist at the provider any more"
GONE = (MachineState.SHUTTING_DOWN, MachineState.TERMINATED)


class ThingFailed(CanopyError):
    """The thing went another way than it was sent; `code` `vanished` when it does not exist any more."""

    status, code, title = 502, "thing_failed", "The resource did not reach its state"


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
    def thing_id(self) -> str | None:
        """The provider's id."""
        found: str | None = self.facts["resource_id"]
        return found

    @property
    def noun(self) -> str:
        """What it is called in the names of steps."""
        return noun_of(self.facts["resource_type"])

    async def cloud(self) -> Cloud:
        """Opened at each call: credentials may have been renewed since."""
        _, cloud = await self.deps.account(self.organization, UUID(self.facts["provider_id"]))
        return cloud

    async def things(self) -> Things:
        kind = (self.facts["resource_type"], self.facts["resource_subtype"])
        return things_of(await self.cloud(), self.region, *kind)

    async def machines(self) -> Machines:
        """For what only machines do."""
        return machines_of(await self.cloud())

    async def create(self) -> str:
        """Idempotent on the token. Returns the provider's id."""
        return await (await self.things()).create(self.facts["token"], self.facts["configuration"], self.facts["tags"])


async def take_order(saga: Saga, resource_id: UUID, deps: Deps, token: str | None = None) -> Order:
    """A step: read the row, and keep the token under which a create will be known."""

    async def take(work: Work) -> dict[str, Any]:
        return await facts_of(work, resource_id, token)

    facts = await saga.apply("take order", take)
    organization = saga.context.organization
    if organization is None:
        raise LookupError("a resource belongs to an organization")
    return Order(deps, organization, facts)


async def facts_of(work: Work, resource_id: UUID, token: str | None = None) -> dict[str, Any]:
    """What an order is about, from the row; keeps the token under which a create will be known."""
    if token is not None:
        await resources.remember_token(work, resource_id, token)
    resource = await resources.lock(work, resource_id)
    kept = await resources.token_of(work, resource_id)
    return {
        "provider_id": str(resource.provider_id),
        "region": resource.region,
        "resource_type": resource.resource_type,
        "resource_subtype": resource.resource_subtype,
        "resource_id": resource.resource_id,
        "configuration": resource.configuration,
        "tags": _tags_of(resource),
        "token": kept,
    }


async def provisioning_failed(work: Work, command: Command, error: dict[str, Any], _: Deps) -> None:
    """Everything was undone: the row says why."""
    await settle(work, command.aggregate_id, ResourceFailed, ERROR, reason_of(error), {"resource_id": None})


async def _transition_failed(work: Work, command: Command, error: dict[str, Any], _: Deps) -> None:
    """What vanished is terminated; otherwise nobody knows its state until it is asked to change again."""
    if error.get("code") == VANISHED:
        await settle(work, command.aggregate_id, ResourceTerminated, TERMINATED, GONE_REASON, {})
        return
    await settle(work, command.aggregate_id, ResourceFailed, ERROR, reason_of(error), {})


@routes.saga(
    ProvisionResource, kind="resource.provision", target_type="resource", total=5, on_failure=provisioning_failed
)
async def provision_resource(saga: Saga, command: ProvisionResource, deps: Deps) -> dict[str, Any]:
    """Take order → create machine (or whatever it is) → note it → wait until running → record running."""
    order = await take_order(saga, command.aggregate_id, deps, token=str(saga.token(CREATE)))

    async def create(_: UUID) -> str:
        return await (await order.things()).made(order.facts["token"]) or await order.create()

    async def remove(thing_id: str | None) -> None:
        await remove_thing(order, thing_id)

    async def note(work: Work) -> None:
        resource = await resources.change(work, command.aggregate_id, resource_id=thing_id, placed_at=work.now)
        work.emit(ResourceUpdated(**work.about(resource.id, resource.version), resource=resource))

    async def running() -> dict[str, Any] | None:
        return await serving(order, thing_id)

    thing_id = await saga.step(f"create {order.noun}", create, undo=remove)
    await saga.apply(f"note {order.noun}", note)
    facts = await saga.until("wait until running", running, every_s=deps.settings.machine_poll_s,
                             timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record running", recording(command.aggregate_id, ResourceStarted, facts.pop("status"), facts))
    return {"resource_id": thing_id}


async def remove_thing(order: Order, thing_id: str | None) -> None:
    """The undo of a create, as `remove_made`."""
    await remove_made(await order.things(), order.facts["token"], thing_id, order.create)


async def serving(order: Order, thing_id: str) -> dict[str, Any] | None:
    """Status, zone and addresses once it serves; None while it starts or is not visible yet.

    Raises ThingFailed, whose cause is what its creation ended with, where the provider tells.
    """
    try:
        found = await (await order.things()).look(thing_id)
    except clouds.NotFound:
        return None
    if found.status in SERVING:
        return {"status": found.status, **places_of(found)}
    if found.is_leaving:
        raise ThingFailed(found.state_reason or "the provider removed it while it started") from found.failure
    if found.status == ERROR:
        raise ThingFailed(found.state_reason or "the provider says that it failed")
    return None


@routes.saga(PowerOffResource, kind="resource.stop", target_type="resource", total=4, on_failure=_transition_failed)
async def power_off_resource(saga: Saga, command: PowerOffResource, deps: Deps) -> dict[str, Any]:
    """Take order → stop machine → wait until stopped → record stopped."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def stop(_: UUID) -> None:
        await or_vanished((await order.things()).stop(str(order.thing_id)))

    async def stopped() -> dict[str, Any] | None:
        return {} if (await look_at(order)).status == STOPPED else None

    await saga.step(f"stop {order.noun}", stop)
    await saga.until("wait until stopped", stopped, every_s=deps.settings.machine_poll_s,
                     timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record stopped", recording(command.aggregate_id, ResourceStopped, STOPPED, {"public_ip": None}))
    return {"resource_id": order.thing_id}


@routes.saga(PowerOnResource, kind="resource.start", target_type="resource", total=4, on_failure=_transition_failed)
async def power_on_resource(saga: Saga, command: PowerOnResource, deps: Deps) -> dict[str, Any]:
    """Take order → start machine → wait until running → record running."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def start(_: UUID) -> None:
        await or_vanished((await order.things()).start(str(order.thing_id)))

    async def running() -> dict[str, Any] | None:
        found = await look_at(order)
        return places_of(found) if found.status == RUNNING else None

    await saga.step(f"start {order.noun}", start)
    facts = await saga.until("wait until running", running, every_s=deps.settings.machine_poll_s,
                             timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record running", recording(command.aggregate_id, ResourceStarted, RUNNING, facts))
    return {"resource_id": order.thing_id}


@routes.saga(
    TerminateResource, kind="resource.terminate", target_type="resource", total=4, on_failure=_transition_failed
)
async def terminate_resource(saga: Saga, command: TerminateResource, deps: Deps) -> dict[str, Any]:
    """Take order → terminate machine → wait until terminated → record terminated. What is not there is success."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def terminate(_: UUID) -> str | None:
        things, thing_id = await order.things(), order.thing_id
        if thing_id is None and order.facts["token"] is not None:
            thing_id = await things.find(order.facts["token"])
        if thing_id is not None:
            await things.remove(thing_id)
        return thing_id

    async def terminated() -> dict[str, Any] | None:
        if thing_id is None:
            return {}
        things = await order.things()
        try:
            found = await things.look(thing_id)
        except clouds.NotFound:
            return {}
        if not found.is_leaving:  # the provider's list lags, or it goes in steps
            await things.remove(thing_id)
        return {} if found.status == TERMINATED else None

    thing_id = await saga.step(f"terminate {order.noun}", terminate)
    await saga.until("wait until terminated", terminated, every_s=deps.settings.machine_poll_s,
                     timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record terminated", recording(command.aggregate_id, ResourceTerminated, TERMINATED, {}))
    return {"resource_id": thing_id}


@routes.command(TagResource)
async def tag_resource(command: TagResource, deps: Deps) -> None:
    """Put the row's tags on the thing, until the row has stood still meanwhile: the newest tags win.

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
            things = things_of(cloud, resource.region, resource.resource_type, resource.resource_subtype)
            await things.tag(resource.resource_id, _tags_of(resource))
        except (clouds.NotFound, clouds.Unsupported):  # it is gone, or can hold no tags: then the row alone keeps them
            return
        except clouds.CloudError as error:
            delay = retry_after_s(error)
            if delay is None:
                raise
            raise RetryLater(max(5.0, delay), str(error)) from None


async def look_at(order: Order) -> Found:
    """The thing as it is. Raises ThingFailed `vanished`."""
    try:
        found = await (await order.things()).look(str(order.thing_id))
    except clouds.NotFound:
        raise vanished() from None
    if found.is_leaving:
        raise vanished()
    return found


async def present(order: Order) -> Machine:
    """The machine as it is. Raises ThingFailed `vanished`."""
    try:
        machine = await (await order.machines()).get(order.region, str(order.thing_id))
    except clouds.NotFound:
        raise vanished() from None
    if machine.state in GONE:
        raise vanished()
    return machine


async def or_vanished(call: Awaitable[None]) -> None:
    """Await a change of a thing; one that is not there, or never will be again, has vanished."""
    try:
        await call
    except (clouds.NotFound, clouds.IncorrectState):
        raise vanished() from None


def vanished() -> ThingFailed:
    return ThingFailed("it does not exist at the provider any more", code=VANISHED)


def recording(
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
        gone = {"terminated_at": work.now, "private_ip": None, "public_ip": None, "address": None}
        values = {**values, **gone}
    resource = await resources.change(
        work, target, operation_id=None, resource_status=status, status_reason=reason, **values
    )
    work.emit(event(**work.about(resource.id, resource.version), resource=resource))
    details = {"resource_status": status, "reason": reason}
    work.audit(f"resource.{event.name}", resource.id, resource.version, resource.resource_name, details)


def _tags_of(resource: Resource) -> dict[str, str]:
    return cloud_tags(resource.resource_name, resource.environment, resource.project, resource.tags)


def places_of(found: Found) -> dict[str, Any]:
    """What the row shows of where a thing is."""
    return {
        "availability_zone": found.zone,
        "private_ip": found.private_ip,
        "public_ip": found.public_ip,
        "address": found.address,
    }


def addresses_of(machine: Machine) -> dict[str, Any]:
    return {"availability_zone": machine.zone, "private_ip": machine.private_ip, "public_ip": machine.public_ip}


def reason_of(error: dict[str, Any]) -> str:
    return f"{error.get('detail') or error.get('title')} ({error.get('code')})"[:1000]

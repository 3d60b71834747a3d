"""How does an asset become what a desired configuration says, while it serves on? A saga: change, wait, record."""

from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import SERVING, STOPPED, TERMINATED, size_category
from services.provisioner.handlers.machines import (
    GONE_REASON,
    VANISHED,
    look_at,
    or_vanished,
    places_of,
    reason_of,
    settle,
    take_order,
)
from services.provisioner.storage import resources, scaling
from shared.bus.router import Routes
from shared.db.saga import Saga
from shared.db.work import Work
from shared.messages.resources import ResourceScaled, ResourceTerminated, ResourceUpdated
from shared.messages.scaling import ReconfigureResource

routes = Routes()


async def _reconfiguring_failed(work: Work, command: ReconfigureResource, error: dict[str, Any], _: Deps) -> None:
    """It serves on; what of the change was done all the same, the next read of the account will tell."""
    reason = f"changing the configuration failed: {reason_of(error)}"[:1000]
    await scaling.finish(work, command.id, success=False, error=reason)
    if error.get("code") == VANISHED:
        await settle(work, command.aggregate_id, ResourceTerminated, TERMINATED, GONE_REASON, {})
        return
    await settle(work, command.aggregate_id, ResourceUpdated, command.resource_status, reason, {})


@routes.saga(
    ReconfigureResource, kind="resource.scale", target_type="resource", total=4, on_failure=_reconfiguring_failed
)
async def reconfigure_resource(saga: Saga, command: ReconfigureResource, deps: Deps) -> dict[str, Any]:
    """Take order → change it → wait until changed → record changed."""
    order = await take_order(saga, command.aggregate_id, deps)

    async def change(_: UUID) -> None:
        await or_vanished((await order.things()).change(str(order.thing_id), command.configuration))

    async def changed() -> dict[str, Any] | None:
        """A fact that the provider does not tell (a password's change) cannot be waited for."""
        found = await look_at(order)
        arrived = all(found.facts.get(name, value) == value for name, value in command.wanted.items())
        return places_of(found) if arrived and found.status in {*SERVING, STOPPED} else None

    async def record(work: Work) -> None:
        await _record(work, command, places)

    await saga.step(f"change {order.noun}", change)
    places = await saga.until("wait until changed", changed, every_s=deps.settings.machine_poll_s,
                              timeout_s=deps.settings.machine_wait_s)  # fmt: skip
    await saga.apply("record changed", record)
    return {"resource_id": order.thing_id, "changed": sorted(command.wanted)}


async def _record(work: Work, command: ReconfigureResource, places: dict[str, Any]) -> None:
    """Row, history, event, audit."""
    done = await scaling.finish(work, command.id, success=True)
    resource = await resources.change(
        work, command.aggregate_id, operation_id=None, resource_status=command.resource_status, status_reason=None,
        configuration=command.configuration, size_category=size_category(command.configuration), **places,
    )  # fmt: skip
    work.emit(
        ResourceScaled(
            **work.about(resource.id, resource.version), resource=resource, action=done.action, trigger=done.trigger,
            before=done.before_configuration, after=resource.configuration,
        )
    )  # fmt: skip
    details = {"resource_status": command.resource_status, "changed": sorted(command.wanted)}
    work.audit("resource.scaled", resource.id, resource.version, resource.resource_name, details)

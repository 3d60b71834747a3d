"""What may be asked about resources? Reads are answered here; long work is accepted here and done in machines.py."""

import json
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import (
    TERMINATED,
    check_changeable,
    check_idle,
    check_spot_stops,
    check_stoppable,
    check_tag_text,
    check_tags,
    next_status,
)
from services.provisioner.handlers.guards import check_guards
from services.provisioner.handlers.machines import (
    power_off_resource,
    power_on_resource,
    terminate_resource,
)
from services.provisioner.handlers.orders import admit, place, say
from services.provisioner.storage import resources
from services.provisioner.storage.resource_json import FIND
from services.provisioner.storage.resource_pages import NAMES, ORDER, question
from shared.bus.replies import VERSION, Reply
from shared.bus.router import Routes
from shared.clouds.models import ResourceOffer
from shared.clouds.registry import find_offer
from shared.db.journal import Program
from shared.db.work import Work
from shared.kit.errors import Conflict, NotFound
from shared.messages.base import Command, Mutation, Page
from shared.messages.context import Context
from shared.messages.resources import (
    AcceptedResource,
    CreateResource,
    DeleteResource,
    GetResource,
    ListInventory,
    ListResources,
    PowerOffResource,
    PowerOnResource,
    Resource,
    ResourceUpdated,
    StartResource,
    StopResource,
    TagResource,
    TerminateResource,
    UpdateResource,
)

routes = Routes()


@routes.request(CreateResource)
async def create_resource(request: CreateResource, deps: Deps) -> AcceptedResource:
    """Raises InvalidInput naming each field, Conflict for an inactive provider."""
    placed = await place(deps, request, request)
    async with deps.database.accept(request) as acceptance:
        accepted = await admit(acceptance.work, deps, request, placed)
        acceptance.answer(accepted)
    return accepted


@routes.request(GetResource)
async def get_resource(request: GetResource, deps: Deps) -> Reply:
    """The hottest read: one round trip to PostgreSQL, whose JSON is passed on as it is."""
    organization = Context.of(request).organization
    if organization is not None:
        row = await deps.reader.one(organization, FIND, {"id": request.resource, "organization": organization})
        if row is not None:
            return Reply(row[1].encode(), headers={VERSION: str(row[0])})
    raise NotFound(f"there is no resource {request.resource}", code="resource_not_found")


@routes.request(ListResources)
async def list_resources(request: ListResources, deps: Deps) -> Reply:
    """A `Page[Resource]` that PostgreSQL has written: as models fifty resources cost more than to find them."""
    organization = Context.of(request).organization
    if organization is None:
        return Reply(b'{"items":[],"next_cursor":null}')
    asked = question(organization, request)
    read = deps.reader.one if asked.is_walk else deps.reader.planned
    found = await read(organization, asked.statement, asked.parameters)
    page = dict(zip(NAMES, found or (), strict=False))
    cursor = ORDER.cursor(page, request) if page.get("is_more") else None
    return Reply(f'{{"items":[{page.get("json") or ""}],"next_cursor":{json.dumps(cursor)}}}'.encode())


@routes.request(ListInventory)
async def list_inventory(request: ListInventory, deps: Deps) -> Page[Resource]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await resources.inventory(work, request)
    return Page[Resource](items=items, next_cursor=cursor)


@routes.request(UpdateResource)
async def update_resource(request: UpdateResource, deps: Deps) -> Resource:
    """The row changes at once; the machine's own tags follow by TagResource."""
    check_tags(request.tags or {})
    check_tag_text({"resource_name": request.resource_name, "project": request.project})
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        known = await idle(work, request, request.resource)
        resource = await change_fields(work, request, known)
        acceptance.answer(resource)
    return resource


async def change_fields(work: Work, request: UpdateResource, known: Resource) -> Resource:
    """Change what is only our own, and let the machine's tags follow. Raises Conflict for a terminated resource."""
    if known.resource_status == TERMINATED:
        raise Conflict("a terminated resource cannot be changed", code="already_terminated")
    names = ("resource_name", "environment", "project", "is_wedding_critical")
    fields = {name: getattr(request, name) for name in names if getattr(request, name) is not None}
    if request.tags is not None:
        await resources.put_tags(work, known.id, request.tags)
    resource = await resources.change(work, known.id, **fields)
    changed = [*fields, *(() if request.tags is None else ("tags",))]
    say(work, ResourceUpdated, resource, "resource.update", {"changed": changed})
    if resource.resource_id is not None and offer_of(resource) is not None:
        work.emit(TagResource(**work.about(resource.id, resource.version)))
    return resource


@routes.request(StopResource)
async def stop_resource(request: StopResource, deps: Deps) -> AcceptedResource:
    return await _begin(request, deps, "stop", power_off_resource, PowerOffResource, force=request.force)


@routes.request(StartResource)
async def start_resource(request: StartResource, deps: Deps) -> AcceptedResource:
    return await _begin(request, deps, "start", power_on_resource, PowerOnResource, force=None)


@routes.request(DeleteResource)
async def delete_resource(request: DeleteResource, deps: Deps) -> AcceptedResource:
    return await _begin(request, deps, "terminate", terminate_resource, TerminateResource, force=request.force)


async def _begin(
    request: StopResource | StartResource | DeleteResource,
    deps: Deps,
    action: str,
    program: Program[Any],
    command_class: type[Command],
    *,
    force: bool | None,
) -> AcceptedResource:
    """Accept a change of state. `force` None: nothing that a resource has to be guarded from."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        known = await idle(work, request, request.resource)
        check_action(known, action)
        status = next_status(action, known.resource_status)
        if action != "terminate" and known.resource_id is None:
            raise Conflict("there is nothing at the cloud behind this resource; delete it", code="wrong_state")
        if force is not None:
            await check_guards(work, known, force=force, role=request.role)
        command = command_class(**work.about(known.id, known.version + 1))
        resource = await resources.change(
            work, known.id, resource_status=status, status_reason=None, operation_id=command.id
        )
        say(work, ResourceUpdated, resource, f"resource.{action}", {"force": bool(force)})
        operation = await deps.journal.accept(work, program, command)
        accepted = AcceptedResource(operation=operation, resource=resource)
        acceptance.answer(accepted)
    return accepted


def offer_of(resource: Resource) -> ResourceOffer | None:
    """What its provider says of such resources; None for what is only found there, such as a snapshot."""
    return find_offer(resource.provider_name, resource.resource_type, resource.resource_subtype)


def check_action(resource: Resource, action: str) -> None:
    """Raise Conflict for a resource that is only seen here, or that never stands still.

    What is stopped already may be started, whatever it is.
    """
    offer = offer_of(resource)
    check_changeable(resource.resource_subtype, is_offered=offer is not None)
    if action in {"start", "stop"}:
        check_stoppable(resource.resource_subtype, can_stop=offer is not None and offer.can_stop)
    if action in {"stop", "scale"} and offer is not None and offer.spot is not None:
        check_spot_stops(resource.configuration, can_stop=offer.spot.can_stop)


async def idle(work: Work, request: Mutation, resource_id: UUID) -> Resource:
    """The resource, locked, at the expected version and with no operation at work. Raises NotFound, Stale, Conflict."""
    known = await resources.lock(work, resource_id)
    request.check_version("resource", known.version)
    check_idle(await resources.operation_of(work, resource_id))
    return known

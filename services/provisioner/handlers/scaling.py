"""What may be asked about a resource's size, and what does a desired state change? The work is in resizing.py."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.provisioner.deps import Deps
from services.provisioner.domain.changes import Changes, base_of, check_no_replacement, compare
from services.provisioner.domain.providers import invalid
from services.provisioner.domain.resources import check_force, check_machine, check_tag_text, check_tags, next_status
from services.provisioner.domain.scaling import (
    CONFIGURATION_CHANGE,
    FIELD,
    check_type,
    direction,
    hourly_cost,
    item_of,
    next_type,
    performance_impact,
)
from services.provisioner.handlers.orders import say
from services.provisioner.handlers.reconfiguring import reconfigure_resource
from services.provisioner.handlers.resizing import resize_resource
from services.provisioner.handlers.resources import change_fields, check_action, idle, offer_of
from services.provisioner.storage import resources, scaling
from shared.bus.router import Routes
from shared.clouds.errors import InvalidRequest
from shared.clouds.registry import catalog_of, machine_types_of
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.resources import AcceptedResource, Resource, ResourceUpdated
from shared.messages.scaling import (
    CompareResource,
    ConfiguredResource,
    ConfigureResource,
    FieldChange,
    ListScalings,
    ReconfigureResource,
    ResizeResource,
    ResourceChanges,
    ScaleResource,
    Scaling,
)

routes = Routes()

OWN_FIELDS = ("resource_name", "environment", "project", "tags", "is_wedding_critical")
"""What a resource is called and belongs to: changes at once, whatever the provider."""


@routes.request(ScaleResource)
async def scale_resource(request: ScaleResource, deps: Deps) -> AcceptedResource:
    """Raises Conflict at a family's end, in a wrong state and for a critical resource; InvalidInput for a type."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        known = await idle(work, request, request.resource)
        check_machine(known.resource_type)
        current = _size_of(known)
        types = machine_types_of(known.provider_name)
        if request.instance_type is None and request.action == "configuration_change":
            detail = "names the type: a change of configuration has no next one"
            raise InvalidInput(detail, errors=[FieldError(f"/{FIELD}", detail)])
        wanted = request.instance_type or next_type(types, current, request.action)
        _checked(known, {FIELD: wanted}, "")
        check_type(types, current, wanted, request.action)
        accepted = await _begin(work, deps, request, known, wanted, request.action, request.trigger)
        acceptance.answer(accepted)
    return accepted


@routes.request(ListScalings)
async def list_scalings(request: ListScalings, deps: Deps) -> Page[Scaling]:
    async with deps.database.work(Context.of(request)) as work:
        await resources.get(work, request.resource)
        items, cursor = await scaling.page(work, request)
    return Page[Scaling](items=items, next_cursor=cursor)


@routes.request(CompareResource)
async def compare_resource(request: CompareResource, deps: Deps) -> ResourceChanges:
    """Raises InvalidInput for a configuration that nothing could have."""
    async with deps.database.work(Context.of(request)) as work:
        known = await resources.get(work, request.resource)
    check_action(known, "change")
    return _shown(_compared(known, request))


@routes.request(ConfigureResource)
async def configure_resource(request: ConfigureResource, deps: Deps) -> ConfiguredResource:
    """What changes at once is changed, then the rest begins; all of it is accepted or nothing is."""
    check_tags(request.tags or {})
    check_tag_text({"resource_name": request.resource_name, "project": request.project})
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        resource = await idle(work, request, request.resource)
        check_action(resource, "change")
        changes = _compared(resource, request)
        check_no_replacement(changes)
        if changes.own:
            resource = await change_fields(work, request, resource)
        operation = None
        if changes.needs_stop or changes.configured:
            begin = _begin_resizing if changes.needs_stop else _begin_reconfiguring
            accepted = await begin(work, deps, request, resource, changes)
            operation, resource = accepted.operation, accepted.resource
        configured = ConfiguredResource(operation=operation, resource=resource, changes=_shown(changes))
        acceptance.answer(configured)
    return configured


async def _begin_resizing(
    work: Work, deps: Deps, request: ConfigureResource, resource: Resource, changes: Changes
) -> AcceptedResource:
    """The one thing of a machine that changes: its type."""
    current, wanted = _size_of(resource), str(changes.needs_stop[0].after)
    types = machine_types_of(resource.provider_name)
    action = direction(types, current, wanted)
    _check_type_of_configuration(types, current, wanted, action)
    return await _begin(work, deps, request, resource, wanted, action, "manual")


async def _begin_reconfiguring(
    work: Work, deps: Deps, request: ConfigureResource, known: Resource, changes: Changes
) -> AcceptedResource:
    """Accept a change that the asset serves on through."""
    status = next_status("change", known.resource_status)
    if known.resource_id is None:
        raise Conflict("there is nothing at the cloud behind this resource; delete it", code="wrong_state")
    wanted = {each.name: each.after for each in changes.configured}
    configuration = {**base_of(schema_of(known), known.configuration), **wanted}
    command = ReconfigureResource(
        **work.about(known.id, known.version + 1), configuration=configuration, wanted=wanted,
        resource_status=known.resource_status,
    )  # fmt: skip
    row = {
        "id": command.id,
        "resource_id": known.id,
        "action": CONFIGURATION_CHANGE,
        "before_configuration": known.configuration,
        "after_configuration": configuration,
        "trigger": "manual",
        "reason": request.reason,
        "created_by": request.actor,
    }
    await scaling.begin(work, row)
    resource = await resources.change(
        work, known.id, resource_status=status, status_reason=None, operation_id=command.id
    )
    say(work, ResourceUpdated, resource, "resource.configure", {"changed": sorted(wanted)})
    operation = await deps.journal.accept(work, reconfigure_resource, command)
    return AcceptedResource(operation=operation, resource=resource)


async def _begin(
    work: Work,
    deps: Deps,
    request: ScaleResource | ConfigureResource,
    known: Resource,
    wanted: str,
    action: str,
    trigger: str,
) -> AcceptedResource:
    """Accept a change of type that is known to be possible of such machines."""
    check_action(known, "scale")
    status = next_status("scale", known.resource_status)
    if known.resource_id is None:
        raise Conflict("there is no machine behind this resource; delete it", code="wrong_state")
    check_force(critical=known.is_wedding_critical, force=request.force, role=request.role)
    command = ResizeResource(
        **work.about(known.id, known.version + 1), instance_type=wanted, resource_status=known.resource_status
    )
    row = _history(request, known, wanted, action, trigger)
    await scaling.begin(work, row | {"id": command.id})
    resource = await resources.change(
        work, known.id, resource_status=status, status_reason=None, operation_id=command.id
    )
    details = {"action": action, "from": _size_of(known), "to": wanted, "force": request.force}
    say(work, ResourceUpdated, resource, "resource.scale", details)
    operation = await deps.journal.accept(work, resize_resource, command)
    return AcceptedResource(operation=operation, resource=resource)


def _history(
    request: ScaleResource | ConfigureResource, known: Resource, wanted: str, action: str, trigger: str
) -> dict[str, Any]:
    current = _size_of(known)
    return {
        "resource_id": known.id,
        "action": action,
        "before_configuration": known.configuration,
        "after_configuration": {**known.configuration, FIELD: wanted},
        "trigger": trigger,
        "reason": request.reason,
        "hourly_cost_before": hourly_cost(known.cost_tracking, item_of(known.configuration)),
        "performance_impact": performance_impact(machine_types_of(known.provider_name), current, wanted),
        "created_by": request.actor,
    }


def _size_of(resource: Resource) -> str:
    """The type of its machine. Raises Conflict for what comes in no sizes."""
    size = resource.configuration.get(FIELD)
    if not isinstance(size, str):
        raise Conflict(f"a {resource.resource_subtype} has no {FIELD} that could change", code="not_scalable")
    return size


def _check_type_of_configuration(types: Mapping[str, Any], current: str, wanted: str, action: str) -> None:
    """The same check, its field where this body has it."""
    try:
        check_type(types, current, wanted, action)
    except InvalidInput as error:
        raise InvalidInput(error.detail, errors=[FieldError(f"/configuration/{FIELD}", error.detail)]) from None


def _compared(known: Resource, request: CompareResource | ConfigureResource) -> Changes:
    schema = schema_of(known)
    checked = _checked(known, request.configuration, "/configuration") if request.configuration else {}
    wanted = {name: checked[name] for name in request.configuration}
    fields = {
        name: (getattr(known, name), getattr(request, name))
        for name in OWN_FIELDS
        if getattr(request, name) is not None
    }
    return compare(schema, known.configuration, wanted, fields)


def _checked(known: Resource, wanted: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """The whole configuration with these fields changed, as the provider's catalog checks it. Raises InvalidInput."""
    whole = {**base_of(schema_of(known), known.configuration), **wanted}
    try:
        return catalog_of(known.provider_name).configuration(known.resource_type, known.resource_subtype, whole)
    except InvalidRequest as error:
        raise invalid(error, pointer) from None


def schema_of(known: Resource) -> Mapping[str, Any]:
    """The schema of its configuration; empty for what the provider does not offer, which then cannot be checked."""
    offer = offer_of(known)
    return {} if offer is None else offer.configuration_schema


def _shown(changes: Changes) -> ResourceChanges:
    return ResourceChanges(
        **{
            name: [FieldChange(**asdict(each)) for each in getattr(changes, name)]
            for name in ResourceChanges.model_fields
        }
    )

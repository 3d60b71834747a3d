"""How is an order for a resource taken in? Its place is chosen where it was left open; row, saga and event are one.

A request for one resource and a fleet of many go the same way, so what is checked of one is checked of all.
"""

from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.providers import invalid
from services.provisioner.domain.resources import PROVISIONING, check_tag_text, check_tags, size_category
from services.provisioner.handlers.machines import provision_resource
from services.provisioner.handlers.placement import Placed, Target, choose, named
from services.provisioner.handlers.placing import place_resource
from services.provisioner.storage import providers, resources
from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.errors import InvalidRequest
from shared.clouds.registry import catalog_of, find_offer
from shared.db.journal import Program
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput, NotFound
from shared.kit.ids import new_id
from shared.messages.base import AggregateEnvelope, Command, Mutation
from shared.messages.context import Context
from shared.messages.providers import Provider
from shared.messages.resources import (
    AcceptedResource,
    ProvisionResource,
    Resource,
    ResourceEvent,
    ResourceOrder,
    ResourceRequested,
)


async def place(deps: Deps, request: Mutation, order: ResourceOrder) -> Placed | None:
    """The offers for an order of `request` that leaves its place open; None for one that names it.

    Before the transaction that accepts it: prices may have to be read. Raises InvalidInput, Conflict.
    """
    if named(order) is not None:
        return None
    check_tags(order.tags)
    check_tag_text({"resource_name": order.resource_name, "project": order.project})
    await deps.database.check(request)
    return await choose(deps, Context.of(request), order)


async def admit(
    work: Work, deps: Deps, order: ResourceOrder, placed: Placed | None = None, group_id: UUID | None = None
) -> AcceptedResource:
    """Take one order in: row, saga, messages. `placed` is what `place` said of it.

    Raises InvalidInput naming each field, Conflict `provider_inactive`.
    """
    check_tags(order.tags)
    check_tag_text({"resource_name": order.resource_name, "project": order.project})
    target = named(order) if placed is None else placed.target
    if target is None:
        raise LookupError("an order that leaves its place open is placed first")
    provider = await _provider_of(work, order.resource_type, target)
    configuration = await _configuration(work, provider, order.resource_type, target)
    resource_id = new_id()
    command, program = _long_work(placed, work.about(resource_id, 1))
    row = _row(order, work, provider, target) | {
        "id": resource_id, "operation_id": command.id, "group_id": group_id, "configuration": configuration,
        "size_category": size_category(configuration), "placement": None if placed is None else placed.placement,
    }  # fmt: skip
    resource = await resources.add(work, row, order.tags)
    say(work, ResourceRequested, resource, "resource.create", {"resource_subtype": resource.resource_subtype})
    operation = await deps.journal.accept(work, program, command)
    return AcceptedResource(operation=operation, resource=resource)


def _long_work(placed: Placed | None, about: AggregateEnvelope) -> tuple[Command, Program[Any]]:
    """At the named place, or at the first offer that can be had."""
    if placed is None:
        return ProvisionResource(**about), provision_resource
    return placed.command(**about), place_resource


async def _provider_of(work: Work, resource_type: str, target: Target) -> Provider:
    try:
        provider = await providers.hold(work, target.provider_id)
    except NotFound:
        problem = FieldError("/provider_id", "there is no such provider")
        raise InvalidInput("there is no such provider", errors=[problem]) from None
    if not provider.is_active:
        raise Conflict("the provider is not active", code="provider_inactive")
    _check_region(provider, resource_type, target)
    return provider


def _check_region(provider: Provider, resource_type: str, target: Target) -> None:
    """What belongs to no region is asked for in `global`."""
    offer = find_offer(provider.provider_name, resource_type, target.resource_subtype)
    regions = [GLOBAL_REGION] if offer is not None and offer.is_global else provider.regions
    if target.region not in regions:
        problem = FieldError("/region", f"is one of {', '.join(regions)}")
        raise InvalidInput(f"{target.region} is not a region of this provider for it", errors=[problem])


async def _configuration(work: Work, provider: Provider, resource_type: str, target: Target) -> dict[str, Any]:
    """Checked against the provider's catalog, defaults filled in, the zone against what was discovered."""
    try:
        catalog = catalog_of(provider.provider_name)
        checked = catalog.configuration(resource_type, target.resource_subtype, target.configuration)
    except InvalidRequest as error:
        unsupported = error.code == "unsupported_resource_type"
        problem = invalid(error, "" if unsupported else "/configuration")
        raise InvalidInput(problem.detail, code=error.code if unsupported else None, errors=problem.errors) from None
    zone = checked.get("availability_zone")
    if zone is not None:
        await _check_zone(work, provider, target.region, zone)
    return checked


async def _check_zone(work: Work, provider: Provider, region: str, zone: str) -> None:
    regions = await providers.regions_of(work, provider.id)
    zones = next((each.availability_zones for each in regions if each.region_code == region), None)
    if zones is not None and zone not in zones:
        field = FieldError("/configuration/availability_zone", f"is one of {', '.join(zones)}")
        raise InvalidInput("availability_zone: not a zone of this region", errors=[field])


def _row(order: ResourceOrder, work: Work, provider: Provider, target: Target) -> dict[str, Any]:
    return {
        "organization_id": work.organization,
        "provider_id": provider.id,
        "provider_name": provider.provider_name,
        "region": target.region,
        "resource_name": order.resource_name,
        "resource_type": order.resource_type,
        "resource_subtype": target.resource_subtype,
        "resource_status": PROVISIONING,
        "environment": order.environment,
        "project": order.project,
        "is_wedding_critical": order.is_wedding_critical,
        "created_by": work.context.actor,
        "created_at": work.now,
        "updated_at": work.now,
        "version": 1,
    }


def say(work: Work, event: type[ResourceEvent], resource: Resource, action: str, details: dict[str, Any]) -> None:
    work.emit(event(**work.about(resource.id, resource.version), resource=resource))
    work.audit(action, resource.id, resource.version, resource.resource_name, details)

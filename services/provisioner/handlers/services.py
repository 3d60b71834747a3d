"""What can be provisioned at a provider? What its catalog offers, and what can be done with such a thing."""

from dataclasses import asdict

from services.provisioner.deps import Deps
from services.provisioner.domain.scaling import FIELD, Types
from services.provisioner.storage import providers
from shared.bus.router import Routes
from shared.clouds.models import ResourceOffer
from shared.clouds.registry import catalog_of, machine_types_of
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.services import ListServices, ProviderService, ServiceSize

routes = Routes()

MACHINE_TYPE = "compute"
"""Only machines are started, stopped and resized by us (domain/resources.py: check_machine)."""


@routes.request(ListServices)
async def list_services(request: ListServices, deps: Deps) -> Page[ProviderService]:
    """From the catalog, which asks no cloud: what a kind is and which fields it has, not what is in stock. NotFound."""
    async with deps.database.work(Context.of(request)) as work:
        provider = await providers.get(work, request.provider_id)
    return Page[ProviderService](items=services_of(provider.provider_name))


def services_of(provider_name: str) -> list[ProviderService]:
    """What a provider's accounts can have."""
    types = machine_types_of(provider_name)
    return [_service(offer, types) for offer in catalog_of(provider_name).offers()]


def _service(offer: ResourceOffer, types: Types) -> ProviderService:
    is_machine = offer.resource_type == MACHINE_TYPE
    is_sized = is_machine and FIELD in offer.configuration_schema.get("properties", {})
    return ProviderService(
        resource_type=offer.resource_type,
        resource_subtype=offer.resource_subtype,
        display_name=offer.display_name,
        configuration_schema=dict(offer.configuration_schema),
        can_start=is_machine,
        can_stop=is_machine,
        can_resize=is_sized,
        sizes=[ServiceSize(**asdict(each)) for each in types.values()] if is_sized and types else None,
    )

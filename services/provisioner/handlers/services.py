"""What can be provisioned at a provider? What its catalog offers, and what can be done with such a thing."""

from dataclasses import asdict

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import COMPUTE
from services.provisioner.domain.scaling import FIELD, Types
from services.provisioner.storage import providers
from shared.bus.router import Routes
from shared.clouds.models import CHANGE, ResourceOffer
from shared.clouds.registry import catalog_of, machine_types_of
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.services import ListServices, ProviderService, ServiceSize

routes = Routes()


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
    ways = [each.get(CHANGE) for each in offer.configuration_schema.get("properties", {}).values()]
    has_sizes = offer.resource_type == COMPUTE and FIELD in offer.configuration_schema.get("properties", {})
    return ProviderService(
        resource_type=offer.resource_type,
        resource_subtype=offer.resource_subtype,
        display_name=offer.display_name,
        configuration_schema=dict(offer.configuration_schema),
        is_global=offer.is_global,
        can_start=offer.can_stop,
        can_stop=offer.can_stop,
        can_resize=has_sizes,
        can_change=has_sizes or any(way is not None for way in ways),
        sizes=[ServiceSize(**asdict(each)) for each in types.values()] if has_sizes and types else None,
        sells_spot=offer.spot is not None,
        can_stop_spot=offer.spot is not None and offer.spot.can_stop,
    )

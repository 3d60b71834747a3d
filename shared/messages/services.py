"""Services: what can be provisioned at a provider, with which configuration. Owned by the provisioner."""

from typing import Any
from uuid import UUID

from shared.messages.base import Facts, Page, Request


class ServiceSize(Facts):
    """A size that things of a kind come in. `architecture` is `x86_64` or `arm64`."""

    name: str
    family: str
    vcpu: int
    memory_gib: float
    architecture: str
    bare_metal: bool


class ProviderService(Facts):
    """A kind of resource that the provider makes; `configuration_schema` is a JSON Schema (2020-12).

    `is_global`: it belongs to no region and is asked for in `global`. What can be done with such a thing: started and
    stopped, given another size, changed in some field of its configuration (`x-change` in the schema says how).
    `sells_spot`: its machines are also to be had as spot machines (`capacity_type` of the configuration), and
    `can_stop_spot` whether such a machine can be stopped, and so given another size.
    `sizes` null: nobody wrote them down, and a size is asked for by its name; else all that are known, which a region
    need not have.
    """

    resource_type: str
    resource_subtype: str
    display_name: str
    configuration_schema: dict[str, Any]
    is_global: bool
    can_start: bool
    can_stop: bool
    can_resize: bool
    can_change: bool
    sizes: list[ServiceSize] | None
    sells_spot: bool = False
    can_stop_spot: bool = False


class ListServices(Request, entity="provider", name="list_services", owner="provisioner", reply=Page[ProviderService]):
    """All of them on one page."""

    provider_id: UUID

"""Organizations: the tenants. Owned by the gateway."""

from uuid import UUID

from shared.messages.base import Event


class OrganizationCreated(Event, entity="organization", name="created", owner="gateway"):
    """A new tenant; the aggregate is the organization itself."""

    organization_id: UUID
    organization_name: str
    slug: str

"""How is one organization kept from another's rows? Row level security, forced on every tenant table.

The service logs in as `<service>_app`, whose policy compares `organization_id` with the transaction's setting
`canopy.organization`. Background work takes `SET LOCAL ROLE <service>_system`, whose policy is true.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.exchange import Step

CURRENT = "(SELECT nullif(current_setting('canopy.organization', true), '')::uuid)"
_ENTER = "SELECT set_config('canopy.organization', %(organization)s, true)"


def organization_entry(organization: UUID) -> Step:
    """See and write rows of this organization only, until the transaction ends."""
    return Step(_ENTER, {"organization": str(organization)})


def background_entry(service: str) -> Step:
    """See and write rows of all organizations, until the transaction ends."""
    return Step(f"SET LOCAL ROLE {service}_system", {})


async def enter_background(connection: AsyncConnection, service: str) -> None:
    """`background_entry` in the middle of a transaction."""
    await connection.execute(text(f"SET LOCAL ROLE {service}_system"))

"""How is one organization kept from another's rows? Row level security, forced on every tenant table.

The service logs in as `<service>_app`, whose policy compares `organization_id` with the transaction's setting
`canopy.organization`. Background work takes `SET LOCAL ROLE <service>_system`, whose policy is true.
"""

from uuid import UUID

from alembic import op
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.exchange import Step

CURRENT = "(SELECT nullif(current_setting('canopy.organization', true), '')::uuid)"


def protect(service: str, table: str) -> None:
    """In a migration: force row level security on a table, with a policy for each of the service's two roles."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY organization ON {table} TO {service}_app "
        f"USING (organization_id = {CURRENT}) WITH CHECK (organization_id = {CURRENT})"
    )
    op.execute(f"CREATE POLICY background ON {table} TO {service}_system USING (true) WITH CHECK (true)")


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

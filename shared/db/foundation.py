"""How do the shared tables come into a service's database? Called by each service's first migration.

Frozen once released: a change of the shared tables is a new function here and a new migration in each service.
"""

from alembic import op

from shared.db.tables import SHARED, TENANT
from shared.db.tenancy import protect


def create_foundation(service: str) -> None:
    """Outbox, inbox, idempotency, journal, schedule, projection; tenant tables under row level security."""
    bind = op.get_bind()
    for table in SHARED:
        table.create(bind)
    for table in TENANT:
        protect(service, table.name)


def drop_foundation() -> None:
    bind = op.get_bind()
    for table in reversed(SHARED):
        table.drop(bind)

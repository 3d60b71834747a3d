"""How do the tables of a service come into its database the first time? From DDL that was written down once.

Frozen once released: a change of a table is a migration of its own. If the first one made whatever tables.py says
today, the second would find its column there already on every fresh install.
"""

from pathlib import Path

from alembic import op

from shared.db.tenancy import CURRENT

FOUNDATION = Path(__file__).with_name("foundation.sql")
INVENTORY = Path(__file__).with_name("inventory.sql")
SHARED = ("outbox", "inbox", "idempotency", "saga", "saga_step", "schedule", "projection")
TENANT = ("outbox", "idempotency", "saga", "saga_step")
"""Those of SHARED that hold rows of organizations and stand under row level security."""
PROJECTED = ("known_resource", "known_provider")
"""Those of `inventory.py`: every row is an organization's."""


def create_foundation(service: str) -> None:
    """Outbox, inbox, idempotency, journal, schedule, projection; tenant tables under row level security."""
    run_script(FOUNDATION)
    for table in TENANT:
        protect(service, table)


def drop_foundation() -> None:
    drop_tables(*SHARED)


def create_inventory(service: str) -> None:
    """What a service knows of others' resources and providers, under row level security."""
    run_script(INVENTORY)
    for table in PROJECTED:
        protect(service, table)


def drop_inventory() -> None:
    drop_tables(*PROJECTED)


def protect(service: str, table: str) -> None:
    """In a migration: force row level security on a table, with a policy for each of the service's two roles."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY organization ON {table} TO {service}_app "
        f"USING (organization_id = {CURRENT}) WITH CHECK (organization_id = {CURRENT})"
    )
    op.execute(f"CREATE POLICY background ON {table} TO {service}_system USING (true) WITH CHECK (true)")


def run_script(script: Path) -> None:
    """The statements of a file, in one go: `run_script(Path(__file__).with_suffix(".sql"))` in a migration."""
    op.get_bind().exec_driver_sql(script.read_text(encoding="utf-8"))


def drop_tables(*names: str) -> None:
    """All at once, whatever refers to what among them."""
    op.execute(f"DROP TABLE {', '.join(names)}")

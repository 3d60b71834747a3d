"""The shared tables, the inventory, and recovery's own: plans, backups, drills."""

from alembic import op

from services.recovery.storage.tables import TABLES
from shared.db.foundation import create_foundation, drop_foundation
from shared.db.inventory import create_inventory, drop_inventory
from shared.db.tenancy import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_foundation("recovery")
    create_inventory("recovery")
    for table in TABLES:
        table.create(op.get_bind())
        protect("recovery", table.name)


def downgrade() -> None:
    for table in reversed(TABLES):
        table.drop(op.get_bind())
    drop_inventory()
    drop_foundation()

"""The first tables of costs."""

from alembic import op

from services.costs.storage.tables import GLOBAL, TENANT
from shared.db.foundation import create_foundation, drop_foundation
from shared.db.inventory import create_inventory, drop_inventory
from shared.db.tenancy import protect

revision = "costs_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_foundation("costs")
    create_inventory("costs")
    bind = op.get_bind()
    for table in (*GLOBAL, *TENANT):
        table.create(bind)
    for table in TENANT:
        protect("costs", table.name)


def downgrade() -> None:
    for table in reversed((*GLOBAL, *TENANT)):
        table.drop(op.get_bind())
    drop_inventory()
    drop_foundation()

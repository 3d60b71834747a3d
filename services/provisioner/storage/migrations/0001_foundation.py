"""The tables of the foundation and the provisioner's own."""

from alembic import op

from services.provisioner.storage.tables import TABLES
from shared.db.foundation import create_foundation, drop_foundation
from shared.db.tenancy import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERVICE = "provisioner"


def upgrade() -> None:
    create_foundation(SERVICE)
    for table in TABLES:
        table.create(op.get_bind())
        protect(SERVICE, table.name)


def downgrade() -> None:
    for table in reversed(TABLES):
        table.drop(op.get_bind())
    drop_foundation()

"""The tables of the foundation and the provisioner's own."""

from pathlib import Path

from shared.db.foundation import create_foundation, drop_foundation, drop_tables, protect, run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("cloud_providers", "cloud_regions", "cloud_resources", "resource_tags")

SERVICE = "provisioner"


def upgrade() -> None:
    create_foundation(SERVICE)
    run_script(Path(__file__).with_suffix(".sql"))
    for table in TABLES:
        protect(SERVICE, table)


def downgrade() -> None:
    drop_tables(*TABLES)
    drop_foundation()

"""The shared tables, the inventory, and recovery's own: plans, backups, drills."""

from pathlib import Path

from shared.db.foundation import (
    create_foundation,
    create_inventory,
    drop_foundation,
    drop_inventory,
    drop_tables,
    protect,
    run_script,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "backup_configurations",
    "backup_executions",
    "disaster_recovery_plans",
    "dr_test_executions",
    "retention_examinations",
)


def upgrade() -> None:
    create_foundation("recovery")
    create_inventory("recovery")
    run_script(Path(__file__).with_suffix(".sql"))
    for table in TABLES:
        protect("recovery", table)


def downgrade() -> None:
    drop_tables(*TABLES)
    drop_inventory()
    drop_foundation()

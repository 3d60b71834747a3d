"""The history of sizes."""

from pathlib import Path

from shared.db.foundation import drop_tables, protect, run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))
    protect("provisioner", "resource_scaling_history")


def downgrade() -> None:
    drop_tables("resource_scaling_history")

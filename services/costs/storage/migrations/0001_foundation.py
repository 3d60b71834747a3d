"""The first tables of costs."""

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

revision = "costs_0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT = ("budget", "cloud_costs", "daily_cost", "meter", "metered_resource", "transition", "budget_crossings")
GLOBAL = ("price", "price_list")


def upgrade() -> None:
    create_foundation("costs")
    create_inventory("costs")
    run_script(Path(__file__).with_suffix(".sql"))
    for table in TENANT:
        protect("costs", table)


def downgrade() -> None:
    drop_tables(*GLOBAL, *TENANT)
    drop_inventory()
    drop_foundation()

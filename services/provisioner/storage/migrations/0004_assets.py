"""What assets need: where they are reached, and dependencies that cross regions."""

from pathlib import Path

from alembic import op

from shared.db.foundation import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BEFORE = """
DROP INDEX ix_resource_dependencies_target;
CREATE INDEX ix_resource_dependencies_target ON resource_dependencies (organization_id, provider_id, region, target);
ALTER TABLE cloud_resources DROP COLUMN address;
"""


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))


def downgrade() -> None:
    op.execute(_BEFORE)

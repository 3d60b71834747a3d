"""Groups of a resource and its copies, and lists by where a resource comes from."""

from pathlib import Path

from alembic import op

from shared.db.foundation import run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BEFORE = """
DROP INDEX ix_cloud_resources_group;
DROP INDEX ix_cloud_resources_origin;
ALTER TABLE cloud_resources DROP COLUMN group_id;
"""


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))


def downgrade() -> None:
    op.execute(_BEFORE)

"""What lists by tag need, first step: new tags know when their resource was made, old ones do not yet."""

from pathlib import Path

from alembic import op

from shared.db.foundation import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE = """
DROP TRIGGER created_at ON resource_tags;
DROP FUNCTION tag_as_old_as_its_resource();
ALTER TABLE resource_tags DROP COLUMN created_at;
"""


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))


def downgrade() -> None:
    op.execute(_BEFORE)

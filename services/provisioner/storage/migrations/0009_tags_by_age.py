"""What lists by tag need: tags that lie in the order of their resources' making, without looking at those."""

from pathlib import Path

from alembic import op

from shared.db.foundation import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE = """
DROP INDEX ix_resource_tags_value;
CREATE INDEX ix_resource_tags_key ON resource_tags (organization_id, key, value, resource_id);
DROP TRIGGER created_at ON resource_tags;
DROP FUNCTION tag_as_old_as_its_resource();
ALTER TABLE resource_tags DROP COLUMN created_at;
"""


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))


def downgrade() -> None:
    op.execute(_BEFORE)

"""Where a resource was placed, and why there."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cloud_resources ADD COLUMN placement JSONB")


def downgrade() -> None:
    op.execute("ALTER TABLE cloud_resources DROP COLUMN placement")

"""What the health of accounts needs: since when it is so, and how many checks in a row have said otherwise."""

from pathlib import Path

from alembic import op

from shared.db.foundation import run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))


def downgrade() -> None:
    op.execute("ALTER TABLE cloud_providers DROP COLUMN health_since, DROP COLUMN health_streak")

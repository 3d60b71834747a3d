"""What reads of accounts need: where rows come from and what was observed, scopes, history, dependencies."""

from pathlib import Path

from alembic import op

from shared.db.foundation import drop_tables, protect, run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("inventory_scopes", "resource_history", "resource_dependencies")

SERVICE = "provisioner"

# Row level security is forced on the owner too, for whom there is no policy: it would see no row to change.
_BEFORE = """
ALTER TABLE cloud_providers NO FORCE ROW LEVEL SECURITY;
ALTER TABLE cloud_resources NO FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_tags NO FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_scaling_history NO FORCE ROW LEVEL SECURITY;
UPDATE cloud_providers SET last_sync_at = regions_read_at;
ALTER TABLE cloud_providers DROP COLUMN sync_queued_at, DROP COLUMN regions_read_at;
DROP INDEX ix_cloud_resources_token;
DROP INDEX ix_cloud_resources_place;
DELETE FROM resource_scaling_history
    WHERE resource_id IN (SELECT id FROM cloud_resources WHERE origin = 'discovered');
DELETE FROM resource_tags WHERE resource_id IN (SELECT id FROM cloud_resources WHERE origin = 'discovered');
DELETE FROM cloud_resources WHERE origin = 'discovered';
ALTER TABLE cloud_resources DROP COLUMN origin, DROP COLUMN observed, DROP COLUMN placed_at,
    DROP CONSTRAINT ck_cloud_resources_resource_status,
    ADD CONSTRAINT ck_cloud_resources_resource_status CHECK (resource_status IN (
        'provisioning', 'running', 'stopped', 'stopping', 'starting', 'error', 'terminated'));
ALTER TABLE cloud_providers FORCE ROW LEVEL SECURITY;
ALTER TABLE cloud_resources FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_tags FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_scaling_history FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))
    for table in TABLES:
        protect(SERVICE, table)


def downgrade() -> None:
    """What was discovered goes: the code before knew only what it had made itself."""
    drop_tables(*TABLES)
    op.execute(_BEFORE)

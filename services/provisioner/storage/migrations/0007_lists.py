"""What lists of a hundred thousand resources need: indexes that hold every column that may be asked for."""

from pathlib import Path

from alembic import op

from shared.db.foundation import run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BEFORE = """
DROP INDEX ix_cloud_resources_created;
CREATE INDEX ix_cloud_resources_created ON cloud_resources (organization_id, created_at, id);
DROP INDEX ix_cloud_resources_name;
CREATE INDEX ix_cloud_resources_name ON cloud_resources (organization_id, resource_name, id);
DROP INDEX ix_cloud_resources_provider;
CREATE INDEX ix_cloud_resources_provider ON cloud_resources (organization_id, provider_id, created_at, id);
DROP INDEX ix_cloud_resources_provider_name;
CREATE INDEX ix_cloud_resources_provider_name ON cloud_resources (organization_id, provider_name, created_at, id);
DROP INDEX ix_cloud_resources_region;
CREATE INDEX ix_cloud_resources_region ON cloud_resources (organization_id, region, created_at, id);
DROP INDEX ix_cloud_resources_status;
CREATE INDEX ix_cloud_resources_status ON cloud_resources (organization_id, resource_status, created_at, id);
DROP INDEX ix_cloud_resources_health;
CREATE INDEX ix_cloud_resources_health ON cloud_resources (organization_id, health_status, created_at, id);
DROP INDEX ix_cloud_resources_type;
CREATE INDEX ix_cloud_resources_type
    ON cloud_resources (organization_id, resource_type, resource_subtype, created_at, id);
DROP INDEX ix_cloud_resources_environment;
CREATE INDEX ix_cloud_resources_environment ON cloud_resources (organization_id, environment, created_at, id);
DROP INDEX ix_cloud_resources_project;
CREATE INDEX ix_cloud_resources_project ON cloud_resources (organization_id, project, created_at, id);
DROP INDEX ix_cloud_resources_origin;
CREATE INDEX ix_cloud_resources_origin ON cloud_resources (organization_id, origin, created_at, id);
"""


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql"))


def downgrade() -> None:
    op.execute(_BEFORE)

"""Tenancy, keys and tokens, operations, and the append-only audit log with its monthly partitions."""

from pathlib import Path

from alembic import op

from shared.db.foundation import create_foundation, drop_foundation, drop_tables, protect, run_script
from shared.db.tenancy import CURRENT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT = (
    "audit_checkpoints",
    "audit_heads",
    "audit_logs",
    "operations",
    "api_keys",
    "role_restrictions",
    "tickets",
    "users",
    "refresh_tokens",
)
APPEND_ONLY = ("audit_logs", "audit_checkpoints")

# Owned by the migrating role and run with its rights: the running service cannot create tables, and can call only this.
# It creates months that are missing and can neither drop nor change one. A partition that is read directly stands
# under the same policies as its parent.
PARTITIONS = """
CREATE FUNCTION audit_partitions_ahead(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first_day timestamptz;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('canopy.audit_partitions'));
    FOR ahead IN 0..least(greatest(months, 0), 24) LOOP
        first_day := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))
            AT TIME ZONE 'UTC';
        name := 'audit_logs_' || to_char(first_day AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF audit_logs FOR VALUES FROM (%L) TO (%L)', name, first_day,
                ((first_day AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC');
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
            EXECUTE format('CREATE POLICY organization ON %I TO gateway_app '
                'USING (organization_id = CURRENT_ORGANIZATION) '
                'WITH CHECK (organization_id = CURRENT_ORGANIZATION)', name);
            EXECUTE format('CREATE POLICY background ON %I TO gateway_system USING (true) WITH CHECK (true)', name);
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM gateway_app, gateway_system', name);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$
"""


def upgrade() -> None:
    create_foundation("gateway")
    run_script(Path(__file__).with_suffix(".sql"))
    _protect_organizations()
    for table in TENANT:
        protect("gateway", table)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM gateway_app, gateway_system")
    op.execute(PARTITIONS.replace("CURRENT_ORGANIZATION", CURRENT.replace("'", "''")))
    op.execute("REVOKE ALL ON FUNCTION audit_partitions_ahead(integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION audit_partitions_ahead(integer) TO gateway_system")
    op.execute("SELECT audit_partitions_ahead(3)")


def downgrade() -> None:
    op.execute("DROP FUNCTION audit_partitions_ahead(integer)")
    drop_tables("organizations", *TENANT)
    drop_foundation()


def _protect_organizations() -> None:
    """The one table whose own id is the organization's."""
    op.execute("ALTER TABLE organizations ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE organizations FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY organization ON organizations TO gateway_app USING (id = {CURRENT}) WITH CHECK (id = {CURRENT})"
    )
    op.execute("CREATE POLICY background ON organizations TO gateway_system USING (true) WITH CHECK (true)")

"""Monitor's first tables: telemetry in day partitions, rules, alerts, channels, deliveries.

Frozen once released. Partitions are made and dropped by two functions that run as the owner: the running service may
not change the schema.
"""

from pathlib import Path

from alembic import op

from shared.db.foundation import (
    create_foundation,
    create_inventory,
    drop_foundation,
    drop_inventory,
    drop_tables,
    protect,
    run_script,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT = (
    "alert",
    "alert_rule",
    "alert_state",
    "builtin_choice",
    "channel",
    "cloud_calls",
    "collected",
    "collection",
    "delivery",
    "delivery_attempt",
    "infrastructure_monitoring",
    "infrastructure_monitoring_daily",
    "rule_revision",
    "telemetry",
)
GLOBAL = ("rolled_up_day",)

_MAKE = """
CREATE FUNCTION make_monitoring_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  partition text := 'infrastructure_monitoring_' || to_char(day, 'YYYYMMDD');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('infrastructure_monitoring'));
  IF to_regclass(partition) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF infrastructure_monitoring FOR VALUES FROM (%L) TO (%L)',
                 partition, day::timestamptz, (day + 1)::timestamptz);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
  EXECUTE format('CREATE POLICY organization ON %I TO monitor_app USING (organization_id = '
                 '(SELECT nullif(current_setting(''canopy.organization'', true), '''')::uuid))', partition);
  EXECUTE format('CREATE POLICY background ON %I TO monitor_system USING (true) WITH CHECK (true)', partition);
  RETURN true;
END
$$
"""

_DROP = """
CREATE FUNCTION drop_monitoring_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  partition text;
  dropped integer := 0;
BEGIN
  FOR partition IN
    SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = 'infrastructure_monitoring'::regclass
      AND child.relname < 'infrastructure_monitoring_' || to_char(before, 'YYYYMMDD')
  LOOP
    EXECUTE format('ALTER TABLE infrastructure_monitoring DETACH PARTITION %I', partition);
    EXECUTE format('DROP TABLE %I', partition);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END
$$
"""

_FUNCTIONS = ("make_monitoring_partition(date)", "drop_monitoring_partitions(date)")


def upgrade() -> None:
    create_foundation("monitor")
    create_inventory("monitor")
    run_script(Path(__file__).with_suffix(".sql"))
    for table in TENANT:
        protect("monitor", table)
    for statement in (_MAKE, _DROP):
        op.execute(statement)
    for function in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO monitor_system")


def downgrade() -> None:
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    drop_tables(*GLOBAL, *TENANT)
    drop_inventory()
    drop_foundation()

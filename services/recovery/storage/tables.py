"""Which tables does recovery own? Plans, what makes backups, backups, and drills."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db.tables import NAMING, moment

metadata = MetaData(naming_convention=NAMING)

KEPT_STATUSES = ("completed", "deletion_failed")
"""Of a backup that has snapshots and is not being deleted."""


def _state() -> list[Column[object]]:
    """The columns that every row of ours ends with."""
    return [moment("created_at"), moment("updated_at"), Column("version", Integer, nullable=False, server_default="1")]


plans = Table(
    "disaster_recovery_plans",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("plan_name", Text(collation="C"), nullable=False),
    Column("description", Text, nullable=True),
    Column("plan_type", String(32), nullable=False),
    Column("primary_region", JSONB, nullable=False),
    Column("disaster_recovery_regions", JSONB, nullable=False),
    Column("resources", ARRAY(Uuid), nullable=False),
    Column("recovery_objectives", JSONB, nullable=False),
    Column("backup_strategy", JSONB, nullable=False),
    Column("failover_procedures", JSONB, nullable=False),
    Column("automated_failover", Boolean, nullable=False),
    Column("testing_schedule", JSONB, nullable=False),
    Column("critical_priority", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    moment("last_tested", nullable=True),
    moment("last_failed_over", nullable=True),
    Column("tests", Integer, nullable=False, server_default="0"),
    Column("tests_passed", Integer, nullable=False, server_default="0"),
    Column("last_measured_rto_s", Float, nullable=True),
    *_state(),
    UniqueConstraint("organization_id", "plan_name"),
    Index(None, "organization_id", "created_at"),
    CheckConstraint("tests_passed <= tests", "tests"),
)

configurations = Table(
    "backup_configurations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("resource_id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("backup_type", String(16), nullable=False),
    Column("frequency", String(16), nullable=False),
    Column("retention", JSONB, nullable=False),
    Column("destinations", ARRAY(Text), nullable=False),
    Column("encryption", Boolean, nullable=False),
    Column("compression", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    moment("last_run_at", nullable=True),
    moment("last_success_at", nullable=True),
    moment("next_run_at"),
    Column("runs", Integer, nullable=False, server_default="0"),
    Column("successes", Integer, nullable=False, server_default="0"),
    Column("last_size_gb", BigInteger, nullable=True),
    *_state(),
    UniqueConstraint("plan_id", "resource_id"),
    Index("ix_backup_configurations_due", "next_run_at", postgresql_where=text("status = 'active'")),
    Index(None, "organization_id", "created_at"),
)

backups = Table(
    "backup_executions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("backup_type", String(16), nullable=False),
    Column("target", Uuid, nullable=False),
    Column("target_name", Text, nullable=True),
    Column("configuration_id", Uuid, nullable=True),
    Column("plan_id", Uuid, nullable=True),
    Column("method", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("provider_id", Uuid, nullable=False),
    Column("source_region", String(64), nullable=False),
    Column("destinations", ARRAY(Text), nullable=False),
    Column("machine", JSONB, nullable=True),
    Column("snapshots", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("size_gb", BigInteger, nullable=True),
    Column("retention", JSONB, nullable=False),
    Column("notes", Text, nullable=True),
    moment("recovery_point_at", nullable=True),
    moment("started_at"),
    moment("completed_at", nullable=True),
    moment("expires_at", nullable=True),
    moment("deleted_at", nullable=True),
    Column("error", JSONB, nullable=True),
    *_state(),
    Index(None, "organization_id", "created_at"),
    Index(None, "target", "recovery_point_at"),
    Index("ix_backup_executions_expiry", "expires_at", postgresql_where=text(f"status IN {KEPT_STATUSES}")),
    Index(
        "uq_backup_executions_running",
        "configuration_id",
        unique=True,
        postgresql_where=text("status = 'in_progress'"),
    ),
)
"""Rows stay when their snapshots are gone: they are the history that success rates are counted from."""

retention_examinations = Table(
    "retention_examinations",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    moment("examined_at"),
)
"""When retention was last applied to an organization's backups: who has waited longest comes first."""

drills = Table(
    "dr_test_executions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("plan_name", Text, nullable=False),
    Column("test_type", String(32), nullable=False),
    Column("region", JSONB, nullable=False),
    Column("status", String(16), nullable=False),
    Column("rto_objective_minutes", Integer, nullable=False),
    Column("rpo_objective_minutes", Integer, nullable=False),
    Column("report", JSONB, nullable=True),
    Column("not_cleaned", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("error", JSONB, nullable=True),
    moment("started_at"),
    moment("cleaning_since", nullable=True),
    moment("verified_at", nullable=True),
    moment("completed_at", nullable=True),
    *_state(),
    Index(None, "organization_id", "created_at"),
    Index("uq_dr_test_executions_running", "plan_id", unique=True, postgresql_where=text("status = 'in_progress'")),
)

TABLES = (plans, configurations, backups, retention_examinations, drills)

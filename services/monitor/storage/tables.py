"""Which tables does monitor's database have beside the shared ones? The time series is made in the migration."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import NAMING, moment
from shared.messages.metrics import METRIC_NAMES

metadata = MetaData(naming_convention=NAMING)

OPEN = text("status IN ('active', 'acknowledged', 'suppressed')")

infrastructure_monitoring = Table(
    "infrastructure_monitoring",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("time", DateTime(timezone=True), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_id", Uuid, nullable=False),
    *(Column(name, Float, nullable=True) for name in METRIC_NAMES),
    Column("health_score", Integer, nullable=True),
    postgresql_partition_by="RANGE (time)",
)
"""Samples, one partition a day of `time`, which is therefore part of the key. No default partition."""

infrastructure_monitoring_daily = Table(
    "infrastructure_monitoring_daily",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_id", Uuid, nullable=False),
    *(
        Column(f"{name}_{function}", Integer if function == "count" else Float, nullable=function != "count")
        for name in METRIC_NAMES
        for function in ("min", "avg", "max", "count")
    ),
    Index(None, "day"),
)
"""What is kept of a day (UTC) when its partition is dropped; without any value all but the count are null."""

rolled_up_day = Table(
    "rolled_up_day",
    metadata,
    Column("day", Date, primary_key=True),
    moment("completed_at"),
)
"""Days whose roll-ups are complete: only their partitions may be dropped."""

telemetry = Table(
    "telemetry",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    moment("last_time", nullable=True),
    Column("latest", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("health_score", Integer, nullable=True),
    Column("health_status", String(16), nullable=False, server_default="unknown"),
    Column("health_version", Integer, nullable=False, server_default="0"),
    moment("reported_at", nullable=True),
    postgresql_with={"fillfactor": "50"},
)
"""One row per resource: the newest point that was evaluated, and what followed from it."""

collection = Table(
    "collection",
    metadata,
    Column("provider_id", Uuid, primary_key=True),
    Column("region", String(64), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    moment("queued_at", nullable=True),
    moment("started_at", nullable=True),
    moment("succeeded_at", nullable=True),
    Column("error", Text, nullable=True),
)
"""`queued_at` is set while a command for this account and region is under way, so that a slow one is not doubled."""

collected = Table(
    "collected",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    moment("asked_until", nullable=True),
    moment("tried_until"),
)
"""Every point of the resource that begins before `asked_until` was answered for; `tried_until` is later where the
provider left something out: it is asked again with the next point, not at once, for each question costs money."""

cloud_calls = Table(
    "cloud_calls",
    metadata,
    Column("day", Date, primary_key=True),
    Column("provider_id", Uuid, primary_key=True),
    Column("operation", String(64), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_name", String(32), nullable=False),
    Column("api_calls", BigInteger, nullable=False),
    Column("metrics_requested", BigInteger, nullable=False),
)

rule_revision = Table(
    "rule_revision",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)
"""Counted up with every change of an organization's rules, so that caches notice; without a row nothing was changed."""

alert_rule = Table(
    "alert_rule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("alert_name", String(200), nullable=False),
    Column("description", Text, nullable=True),
    Column("alert_type", String(32), nullable=False),
    Column("severity_level", String(16), nullable=False),
    Column("alert_conditions", JSONB, nullable=False),
    Column("resource_id", Uuid, nullable=True),
    Column("provider_id", Uuid, nullable=True),
    Column("notification_channels", JSONB, nullable=False),
    Column("recipient_list", JSONB, nullable=False),
    Column("auto_remediation", JSONB, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("last_error", Text, nullable=True),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False),
    Index("ix_alert_rule_organization_created", "organization_id", "created_at", "id"),
)

builtin_choice = Table(
    "builtin_choice",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("rule_id", Uuid, primary_key=True),
    Column("is_enabled", Boolean, nullable=False),
    moment("updated_at"),
    Column("version", Integer, nullable=False),
)
"""An organization's word on a built-in rule; without a row the rule is on."""

alert = Table(
    "alert",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("rule_id", Uuid, nullable=True),
    Column("alert_name", String(200), nullable=False),
    Column("description", Text, nullable=True),
    Column("alert_type", String(32), nullable=False),
    Column("severity_level", String(16), nullable=False),
    Column("resource_id", Uuid, nullable=True),
    Column("resource_name", Text, nullable=True),
    Column("provider_id", Uuid, nullable=True),
    Column("metric", String(64), nullable=True),
    Column("operator", String(2), nullable=True),
    Column("current_value", Float, nullable=True),
    Column("threshold", Float, nullable=True),
    Column("current_values", JSONB, nullable=False),
    Column("status", String(16), nullable=False),
    moment("triggered_at"),
    moment("acknowledged_at", nullable=True),
    Column("acknowledged_by", Text, nullable=True),
    moment("resolved_at", nullable=True),
    Column("resolved_by", Text, nullable=True),
    Column("resolution_notes", Text, nullable=True),
    moment("suppressed_until", nullable=True),
    Column("notification_channels", JSONB, nullable=False),
    Column("recipient_list", JSONB, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False),
    Index("uq_alert_open", "organization_id", "fingerprint", unique=True, postgresql_where=OPEN),
    Index("ix_alert_organization_triggered", "organization_id", "triggered_at", "id"),
    Index("ix_alert_open_resource", "resource_id", postgresql_where=OPEN),
    Index("ix_alert_closed", "resolved_at", postgresql_where=text("resolved_at IS NOT NULL")),
)

alert_state = Table(
    "alert_state",
    metadata,
    Column("rule_id", Uuid, primary_key=True),
    Column("resource_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("state", String(16), nullable=False),
    moment("since"),
    Index(None, "resource_id"),
)
"""Where a rule stands for a resource: pending, firing, recovering; no row means that it is quiet."""

channel = Table(
    "channel",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("channel_type", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("config", JSONB, nullable=False),
    Column("sealed_config", LargeBinary, nullable=False),
    Column("key_id", String(64), nullable=True),
    Column("minimum_severity", String(16), nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    moment("deleted_at", nullable=True),
    Column("version", Integer, nullable=False),
    Index("ix_channel_organization_created", "organization_id", "created_at", "id"),
    Index("ix_channel_key", "key_id", postgresql_where=text("deleted_at IS NULL")),
)
"""`config` is the masked one that is shown; the whole one is sealed under the key `key_id`. Deleted ones stay for their
deliveries, without secrets and key."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("alert_id", Uuid, nullable=True),
    Column("kind", String(16), nullable=False),
    Column("content", JSONB, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("possible_repeat", Boolean, nullable=False),
    moment("next_attempt_at", nullable=True),
    moment("lease_until", nullable=True),
    Column("last_error", Text, nullable=True),
    Column("response_status", Integer, nullable=True),
    moment("created_at"),
    moment("sent_at", nullable=True),
    Column("version", Integer, nullable=False),
    UniqueConstraint("event_id", "channel_id"),
    Index("ix_delivery_channel_created", "channel_id", "created_at", "id"),
    Index("ix_delivery_finished", "created_at", postgresql_where=text("status IN ('sent', 'failed')")),
    Index("ix_delivery_unfinished", "created_at", postgresql_where=text("status NOT IN ('sent', 'failed')")),
)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    moment("started_at"),
    moment("finished_at", nullable=True),
    Column("outcome", String(16), nullable=True),
    Column("response_status", Integer, nullable=True),
    Column("error", Text, nullable=True),
)

TENANT = tuple(table for table in metadata.sorted_tables if "organization_id" in table.c)

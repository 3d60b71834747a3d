"""Which tables does the provisioner own, and which index serves which access path?"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import NAMING, moment

metadata = MetaData(naming_convention=NAMING)

_PRESENT = text("removed_at IS NULL")


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


cloud_providers = Table(
    "cloud_providers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_name", String(32), nullable=False),
    Column("provider_type", String(16), nullable=False),
    Column("display_name", Text(collation="C"), nullable=False),
    Column("description", Text),
    Column("regions", JSONB, nullable=False),
    Column("credentials_config", LargeBinary),
    Column("key_id", String(64)),
    Column("account_id", Text, nullable=False),
    Column("capabilities", JSONB, nullable=False),
    Column("cost_budget", Numeric(16, 2)),
    Column("metrics_period_s", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("health_status", String(16), nullable=False),
    Column("health_reason", Text),
    Column("health_streak", Integer, nullable=False, server_default="0"),
    moment("health_since", nullable=True),
    moment("last_health_check", nullable=True),
    moment("last_sync_at", nullable=True),
    moment("sync_queued_at", nullable=True),
    moment("regions_read_at", nullable=True),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    moment("removed_at", nullable=True),
    Column("version", Integer, nullable=False),
    _one_of("provider_name", "aws", "azure", "gcp", "digitalocean", "linode", "vultr"),
    _one_of("provider_type", "primary", "secondary", "backup", "edge", "development"),
    _one_of("health_status", "healthy", "degraded", "critical", "unknown"),
    Index("uq_cloud_providers_display_name", "organization_id", "display_name", unique=True, postgresql_where=_PRESENT),
    Index("uq_cloud_providers_account", "organization_id", "provider_name", "account_id", unique=True,
          postgresql_where=_PRESENT),
    Index("ix_cloud_providers_created", "organization_id", "created_at", "id"),
    Index("ix_cloud_providers_key", "key_id", postgresql_where=_PRESENT),
)  # fmt: skip

cloud_regions = Table(
    "cloud_regions",
    metadata,
    Column("provider_id", Uuid, ForeignKey("cloud_providers.id"), primary_key=True),
    Column("region_code", String(64), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("region_name", Text, nullable=False),
    Column("availability_zones", JSONB(none_as_null=True)),
    Column("geographic_location", JSONB(none_as_null=True)),
    Column("capacity_status", String(16), nullable=False, server_default="unknown"),
    moment("discovered_at"),
    _one_of("capacity_status", "unknown", "available", "limited", "unavailable"),
)

FILTERS = ("provider_id", "provider_name", "region", "resource_type", "resource_subtype", "resource_status",
           "health_status", "environment", "project", "origin")  # fmt: skip
"""What a list may be asked for; each index of lists holds all of them, so that no row is read only to be left out."""


def _filters(*but: str) -> list[str]:
    """The columns that an index of lists holds beside those that it is ordered by."""
    order = [] if "created_at" in but else ["created_at"]
    return [*order, *(name for name in FILTERS if name not in but)]


cloud_resources = Table(
    "cloud_resources",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_id", Uuid, ForeignKey("cloud_providers.id"), nullable=False),
    Column("provider_name", String(32), nullable=False),
    Column("region", String(64), nullable=False),
    Column("resource_id", Text),
    Column("creation_token", Text),
    Column("resource_name", Text(collation="C"), nullable=False),
    Column("resource_type", String(32), nullable=False),
    Column("resource_subtype", String(64), nullable=False),
    Column("size_category", String(16)),
    Column("availability_zone", Text),
    Column("private_ip", Text),
    Column("public_ip", Text),
    Column("address", Text),
    Column("configuration", JSONB, nullable=False),
    Column("resource_status", String(16), nullable=False),
    Column("status_reason", Text),
    Column("operation_id", Uuid),
    Column("environment", String(32), nullable=False),
    Column("project", Text, nullable=False),
    Column("is_wedding_critical", Boolean, nullable=False),
    Column("health_status", String(16), nullable=False, server_default="unknown"),
    Column("performance_metrics", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("health_version", Integer, nullable=False, server_default="0"),
    Column("cost_tracking", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("cost_version", Integer, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    moment("terminated_at", nullable=True),
    Column("version", Integer, nullable=False),
    Column("origin", String(16), nullable=False, server_default="provisioned"),
    Column("observed", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("placement", JSONB(none_as_null=True)),
    moment("placed_at", nullable=True),
    Column("group_id", Uuid),
    _one_of("origin", "provisioned", "discovered"),
    _one_of("resource_type", "compute", "storage", "database", "network", "load_balancer", "cdn", "dns", "analytics"),
    _one_of("resource_status", "provisioning", "running", "stopped", "stopping", "starting", "error", "terminated",
            "available"),
    _one_of("health_status", "healthy", "warning", "critical", "unknown"),
    _one_of("environment", "development", "testing", "staging", "production"),
    Index("ix_cloud_resources_created", "organization_id", "created_at", "id",
          postgresql_include=_filters("created_at", "id")),
    Index("ix_cloud_resources_name", "organization_id", "resource_name", "id",
          postgresql_include=_filters("resource_name", "id")),
    Index("ix_cloud_resources_provider", "organization_id", "provider_id", "created_at", "id",
          postgresql_include=_filters("provider_id", "created_at", "id")),
    Index("ix_cloud_resources_provider_name", "organization_id", "provider_name", "created_at", "id",
          postgresql_include=_filters("provider_name", "created_at", "id")),
    Index("ix_cloud_resources_region", "organization_id", "region", "created_at", "id",
          postgresql_include=_filters("region", "created_at", "id")),
    Index("ix_cloud_resources_status", "organization_id", "resource_status", "created_at", "id",
          postgresql_include=_filters("resource_status", "created_at", "id")),
    Index("ix_cloud_resources_health", "organization_id", "health_status", "created_at", "id",
          postgresql_include=_filters("health_status", "created_at", "id")),
    Index("ix_cloud_resources_type", "organization_id", "resource_type", "resource_subtype", "created_at", "id",
          postgresql_include=_filters("resource_type", "resource_subtype", "created_at", "id")),
    Index("ix_cloud_resources_environment", "organization_id", "environment", "created_at", "id",
          postgresql_include=_filters("environment", "created_at", "id")),
    Index("ix_cloud_resources_project", "organization_id", "project", "created_at", "id",
          postgresql_include=_filters("project", "created_at", "id")),
    Index("ix_cloud_resources_place", "organization_id", "provider_id", "region", "resource_id"),
    Index("ix_cloud_resources_token", "organization_id", "creation_token",
          postgresql_where=text("creation_token IS NOT NULL")),
    Index("ix_cloud_resources_origin", "organization_id", "origin", "created_at", "id",
          postgresql_include=_filters("origin", "created_at", "id")),
    Index("ix_cloud_resources_group", "organization_id", "group_id", "created_at", "id",
          postgresql_where=text("group_id IS NOT NULL")),
)  # fmt: skip

resource_tags = Table(
    "resource_tags",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("resource_id", Uuid, ForeignKey("cloud_resources.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    # The resource's, written by a trigger (migration 0009): a list by tag walks an index in this order.
    moment("created_at"),
    Index("ix_resource_tags_value", "organization_id", "key", "value", "created_at", "resource_id"),
)

inventory_scopes = Table(
    "inventory_scopes",
    metadata,
    Column("provider_id", Uuid, ForeignKey("cloud_providers.id"), primary_key=True),
    Column("region", String(64), primary_key=True),
    Column("resource_subtype", String(64), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("resource_type", String(32), nullable=False),
    Column("generation", BigInteger, nullable=False, server_default="0"),
    Column("attempt_id", Uuid),
    moment("began_at", nullable=True),
    moment("ended_at", nullable=True),
    moment("complete_at", nullable=True),
    Column("things", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", JSONB(none_as_null=True)),
    Index("ix_inventory_scopes_organization", "organization_id", "provider_id"),
)
"""One row per account, region and kind of thing. `generation` counts reads and is their fence."""

resource_history = Table(
    "resource_history",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("resource_id", Uuid, ForeignKey("cloud_resources.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("event", String(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    moment("observed_at"),
    Column("changes", JSONB, nullable=False),
    Index("ix_resource_history_resource", "organization_id", "resource_id", "observed_at", "id"),
)

resource_dependencies = Table(
    "resource_dependencies",
    metadata,
    Column("source_id", Uuid, ForeignKey("cloud_resources.id"), primary_key=True),
    Column("relation", String(32), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_id", Uuid, nullable=False),
    Column("region", String(64), nullable=False),
    Column("hard", Boolean, nullable=False),
    Index("ix_resource_dependencies_target", "organization_id", "provider_id", "target"),
)
"""`target` is a key (kind:id): a thing may be depended on before, or without, being in the inventory itself.

Keys are unique in an account, whatever their region: a zone of no region stands on a load balancer of one.
"""

resource_scaling_history = Table(
    "resource_scaling_history",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("resource_id", Uuid, ForeignKey("cloud_resources.id"), nullable=False),
    Column("action", String(32), nullable=False),
    Column("before_configuration", JSONB, nullable=False),
    Column("after_configuration", JSONB, nullable=False),
    Column("trigger", String(32), nullable=False),
    Column("reason", Text),
    Column("hourly_cost_before", Double),
    Column("cost_impact", JSONB(none_as_null=True)),
    Column("performance_impact", JSONB(none_as_null=True)),
    Column("success", Boolean),
    Column("error", Text),
    Column("duration_s", Double),
    Column("created_by", Text, nullable=False),
    moment("started_at"),
    moment("finished_at", nullable=True),
    _one_of("action", "scale_up", "scale_down", "scale_out", "scale_in", "configuration_change"),
    _one_of("trigger", "manual", "auto_cpu", "auto_memory", "auto_requests", "scheduled"),
    Index("ix_resource_scaling_history_resource", "organization_id", "resource_id", "started_at", "id"),
)

TABLES = (
    cloud_providers,
    cloud_regions,
    cloud_resources,
    resource_tags,
    resource_scaling_history,
    inventory_scopes,
    resource_history,
    resource_dependencies,
)

"""Which tables does costs own?"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
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

ITEM_LENGTH = 64
"""Longer names are cut: a size that somebody made up, which is on no list."""


def amount(name: str, *, nullable: bool = False) -> Column[object]:
    """US dollars with twelve fraction digits: seconds of the smallest machine stay exact to nine."""
    return Column(name, Numeric(28, 12), nullable=nullable)


def dimensions(*keys: str) -> list[Column[object]]:
    """What spending is grouped and budgets are scoped by; `keys` are part of the primary key."""
    columns: list[Column[object]] = [
        Column("organization_id", Uuid, nullable=False),
        Column("provider_id", Uuid, nullable=False),
        Column("provider_name", String(32), nullable=False),
        Column("environment", String(32), nullable=False),
        Column("project", Text, nullable=False),
        Column("resource_type", String(32), nullable=False),
        Column("category", String(16), nullable=False),
    ]
    for column in columns:
        column.primary_key = column.name in keys
    return columns


DIMENSIONS = tuple(column.name for column in dimensions())

price = Table(
    "price",
    metadata,
    Column("provider_name", String(32), primary_key=True),
    Column("region", String(64), primary_key=True),
    Column("item", String(ITEM_LENGTH), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("unit", String(16), nullable=False),
    Column("usd", Numeric(18, 9), nullable=False),
    Column("source", Text, nullable=False),
)
"""List prices of the deployment, not of an organization: the one table here that is not under row level security."""

price_list = Table(
    "price_list",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    moment("loaded_at"),
)

transition = Table(
    "transition",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("resource_status", String(16), nullable=False),
    Column("region", String(64), nullable=False),
    Column("resource_subtype", String(64), nullable=False),
    Column("configuration", JSONB, nullable=False),
    moment("at"),
)
"""Every known version of every resource: what the usage is rebuilt from, in whatever order it became known."""

metered_resource = Table(
    "metered_resource",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("versions", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("price_hash", String(64), nullable=False),
    Column("announced", JSONB, nullable=False),
    Column("announced_version", Integer, nullable=False),
    amount("total"),
    moment("metered_until"),
    moment("changed_at", nullable=True),
    Index("ix_metered_resource_open", "metered_until", postgresql_where=text("is_open")),
    Index("ix_metered_resource_changed", "changed_at", postgresql_where=text("changed_at IS NOT NULL")),
)
"""How far a resource is metered. `changed_at` is the time of the earliest transition that is not metered yet."""

meter = Table(
    "meter",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    *dimensions("category"),
    Column("item", String(ITEM_LENGTH), nullable=False),
    amount("usd_per_hour", nullable=True),
    Column("unpriced", Text, nullable=True),
    moment("metered_until"),
    Index(None, "organization_id", "metered_until"),
)
"""What runs now: spending since `metered_until` is hours x rate and is written when the meter is read or closed."""

cloud_costs = Table(
    "cloud_costs",
    metadata,
    Column("resource_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    *dimensions("category"),
    Column("item", String(ITEM_LENGTH), nullable=False),
    Column("region", String(64), nullable=False),
    Column("usage_hours", Numeric(18, 9), nullable=False),
    amount("amount", nullable=True),
    Column("currency", String(3), nullable=False),
)
"""One row per resource, day and category. An amount of NULL: used, but the price is not known."""

daily_cost = Table(
    "daily_cost",
    metadata,
    Column("day", Date, primary_key=True),
    *dimensions(*DIMENSIONS),
    amount("amount"),
    Index(None, "organization_id", "day"),
)
"""`cloud_costs` summed over resources: an overview reads hundreds of rows instead of millions."""

budget = Table(
    "budget",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("budget_name", Text, nullable=False),
    Column("budget_scope", String(16), nullable=False),
    Column("scope_filters", JSONB, nullable=False),
    Column("budget_amount", Numeric(15, 4), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("budget_period", String(16), nullable=False),
    Column("alert_thresholds", JSONB, nullable=False),
    Column("notification_channels", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),
    amount("current_spend"),
    amount("forecast_spend"),
    moment("period_start"),
    moment("period_end"),
    moment("evaluated_at"),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False),
    Index(None, "organization_id", "created_at"),
)

budget_crossings = Table(
    "budget_crossings",
    metadata,
    Column("budget_id", Uuid, ForeignKey("budget.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("period_start", DateTime(timezone=True), primary_key=True),
    Column("basis", String(16), primary_key=True),
    Column("threshold_percent", Numeric(8, 3), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    amount("spend"),
    moment("crossed_at"),
)
"""A row is the right to say BudgetExceeded; a revision begins when the amount or the scope changes."""

TENANT = (transition, metered_resource, meter, cloud_costs, daily_cost, budget, budget_crossings)
GLOBAL = (price, price_list)

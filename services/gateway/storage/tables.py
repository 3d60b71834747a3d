"""Which tables does the gateway have beside those of every service?"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
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
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import NAMING, moment

metadata = MetaData(naming_convention=NAMING)


def _organization(*, key: bool = False) -> Column[object]:
    return Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=key, nullable=False)


organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_name", Text, nullable=False),
    Column("slug", String(63), nullable=False, unique=True),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False, server_default="1"),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    _organization(),
    Column("email", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    moment("last_sign_in_at", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    Index(None, "organization_id", "created_at"),
)
"""E-mail addresses are unique in the deployment: a sign-in names no organization. Stored casefolded."""

role_restrictions = Table(
    "role_restrictions",
    metadata,
    _organization(key=True),
    Column("role", String(16), primary_key=True),
    Column("permission", Text, primary_key=True),
)
"""What an organization has taken from a role (shared/security/roles.py RoleMatrix)."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    _organization(),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("prefix", String(16), nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    Index(None, "organization_id", "created_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    _organization(),
    Column("family", Uuid, nullable=False, index=True),
    moment("family_started_at"),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False, index=True),
    Column("prefix", String(16), nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
    moment("family_revoked_at", nullable=True),
    Index(None, "expires_at"),
)
"""An access token's `jti` is the id of the refresh token issued with it: a revoked family ends both."""

tickets = Table(
    "tickets",
    metadata,
    Column("prefix", String(16), primary_key=True),
    _organization(),
    Column("digest", Text, nullable=False),
    Column("principal_kind", String(16), nullable=False),
    Column("principal_id", Uuid, nullable=False),
    Column("token_id", Uuid, nullable=True),
    moment("token_expires_at", nullable=True),
    moment("issued_at"),
    moment("used_at", nullable=True),
    Index(None, "issued_at"),
)

operations = Table(
    "operations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("progress", JSONB, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Uuid, nullable=False),
    Column("error", JSONB, nullable=True),
    Column("result", JSONB, nullable=True),
    Column("actor", Text, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    moment("finished_at", nullable=True),
    Column("version", Integer, nullable=False),
    Index(None, "organization_id", "created_at"),
    Index(None, "organization_id", "target_id"),
)

audit_logs = Table(
    "audit_logs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("entry_hash", String(64), nullable=False),
    moment("time"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Uuid, nullable=False),
    Column("target_name", Text, nullable=True),
    Column("details", JSONB, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("recorded_at", moment("recorded_at").type, primary_key=True),
    Index(None, "organization_id", "sequence"),
    Index(None, "organization_id", "time"),
    Index(None, "organization_id", "target_id"),
    postgresql_partition_by="RANGE (recorded_at)",
)
"""Partitioned by when an entry was recorded, not by when it happened: an event that comes late still has a place."""

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("entry_hash", String(64), nullable=False),
    moment("updated_at"),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("entry_hash", String(64), nullable=False),
    moment("time"),
    Column("signature", Text, nullable=False),
    UniqueConstraint("organization_id", "time"),
)

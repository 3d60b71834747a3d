"""Which tables does every service have? Outbox, inbox, idempotency, journal, leases: the same in each database."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)


def moment(name: str, *, nullable: bool = False, default_now: bool = False) -> Column[object]:
    """A UTC point in time."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if default_now else None)


outbox = Table(
    "outbox",
    metadata,
    Column("sequence", BigInteger, Identity(), primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("organization_id", Uuid, nullable=True),
    Column("aggregate", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    moment("created_at", default_now=True),
)

inbox = Table(
    "inbox",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("consumer", String(64), primary_key=True),
    moment("received_at", default_now=True),
    Index(None, "received_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    Column("principal", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("reply", LargeBinary, nullable=True),
    moment("created_at", default_now=True),
    Index(None, "created_at"),
)

saga = Table(
    "saga",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("command_type", Text, nullable=False),
    Column("command", JSONB, nullable=False),
    Column("status", String(16), nullable=False),
    Column("stage", Text, nullable=True),
    Column("completed", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("target_type", Text, nullable=False),
    Column("target_id", Uuid, nullable=False),
    Column("result", JSONB, nullable=True),
    Column("error", JSONB, nullable=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("owner", Text, nullable=True),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    moment("lease_until", nullable=True),
    moment("wake_at", nullable=True),
    moment("requeued_at", nullable=True),
    Column("version", Integer, nullable=False, server_default="1"),
    moment("created_at", default_now=True),
    moment("finished_at", nullable=True),
    Index(None, "finished_at"),
    Index("ix_saga_unfinished", "lease_until", postgresql_where=text("finished_at IS NULL")),
    Index(None, "organization_id", "target_id"),
)

saga_step = Table(
    "saga_step",
    metadata,
    Column("saga_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("organization_id", Uuid, nullable=False),
    Column("status", String(16), nullable=False),
    Column("output", JSONB, nullable=True),
    moment("started_at", default_now=True),
    moment("finished_at", nullable=True),
    UniqueConstraint("saga_id", "sequence"),
)

schedule = Table(
    "schedule",
    metadata,
    Column("name", String(100), primary_key=True),
    moment("next_run_at"),
    moment("lease_until", nullable=True),
    Column("owner", Text, nullable=True),
    moment("finished_at", nullable=True),
)

projection = Table(
    "projection",
    metadata,
    Column("name", String(100), primary_key=True),
    moment("stream_created_at"),
    Column("missed_none_to", BigInteger, nullable=False),
    moment("completed_at"),
)


def overwrite(table: Table) -> Insert:
    """Insert a row, or replace the one with its key if its `version` is lower.

    To be built once and run with parameters: putting such a statement together for every row cost more than the
    database's own work (profiled).
    """
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={column.name: statement.excluded[column.name] for column in table.c if not column.primary_key},
        where=table.c.version < statement.excluded.version,
    )

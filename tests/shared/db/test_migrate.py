"""Can each service's migrations be taken back and done again, and is the database then what it was? What the code expects?"""

import importlib
import re
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, inspect

from deploy.local.environment import SERVICES
from shared.db import tables as shared_tables
from shared.db.inventory import TABLES as INVENTORY
from shared.db.inventory import known_resource
from shared.db.migrate import configuration, downgrade, upgrade
from shared.db.revisions import current, driver_url, known
from tests.fixtures.servers import Database, DatabaseFactory

SCHEMA = """
SELECT 'column', table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
       || ' ' || coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'policy', tablename || ' ' || policyname FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'privilege', table_name || ' ' || grantee || ' ' || privilege_type
          FROM information_schema.role_table_grants WHERE table_schema = 'public'
"""


def schema(database: Database) -> list[tuple[str, str]]:
    with psycopg.connect(database.owner_url) as connection:
        return sorted(connection.execute(SCHEMA).fetchall())


@pytest.mark.parametrize("service", SERVICES)
def test_down_leaves_nothing_and_up_again_gives_the_same_tables(
    service: str, migrated_database: DatabaseFactory
) -> None:
    database = migrated_database(service)
    before = schema(database)
    assert len(before) > 50
    downgrade(service, database.owner_url, "base")
    assert {line for _, line in schema(database) if "alembic_version" not in line} == set()
    upgrade(service, database.owner_url)
    assert current(database.owner_url) == known(service)[-1]
    assert schema(database) == before


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_its_revisions_as_alembic_does(service: str) -> None:
    walked = ScriptDirectory.from_config(configuration(service)).walk_revisions()
    assert known(service) == [script.revision for script in walked][::-1]


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_the_tables_that_the_code_reads_and_writes(
    service: str, migrated_database: DatabaseFactory
) -> None:
    """The first migration is written-out DDL: nothing but this holds it to `storage/tables.py`."""
    own = importlib.import_module(f"services.{service}.storage.tables").metadata
    engine = create_engine(driver_url(migrated_database(service).owner_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": _is_ours, "compare_server_default": True}
        )
        assert compare_metadata(context, [own, *_shared(connection)]) == []
    engine.dispose()


def _shared(connection: Connection) -> list[MetaData]:
    """Of the shared tables those of the inventory are made only where it is projected."""
    if inspect(connection).has_table(known_resource.name):
        return [shared_tables.metadata]
    without = MetaData()
    for table in shared_tables.metadata.tables.values():
        if table not in INVENTORY:
            table.to_metadata(without)
    return [without]


def _is_ours(item: Any, *_: Any) -> bool:
    """Neither Alembic's own table nor a partition, which the owner's functions make."""
    table = item if isinstance(item, Table) else item.table
    return table.name != "alembic_version" and not re.search(r"_\d{4}_?\d{2}(\d{2})?$", table.name)

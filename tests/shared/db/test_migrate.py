"""Can each service's migrations be taken back and done again, and is the database then what it was?"""

import psycopg
import pytest

from deploy.local.environment import SERVICES
from shared.db.migrate import current, downgrade, head, upgrade
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
    assert current(database.owner_url) == head(service)
    assert schema(database) == before

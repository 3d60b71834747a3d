"""Is every row of an organization behind forced row level security, in every service's database, partitions included?"""

import psycopg
import pytest

from deploy.local.environment import SERVICES
from tests.fixtures.servers import DatabaseFactory

TENANT_TABLES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
POLICIES = """
SELECT tablename, array_agg(policyname || ' of ' || array_to_string(roles, ' ') ORDER BY policyname) FROM pg_policies
WHERE schemaname = 'public' GROUP BY tablename
"""
RULE = "SELECT DISTINCT qual, with_check FROM pg_policies WHERE schemaname = 'public' AND policyname = 'organization'"
PARTITIONS = {
    "gateway": "SELECT audit_partitions_ahead(2)",
    "monitor": "SELECT make_monitoring_partition(current_date + 1)",
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_with_an_organization_is_guarded_also_against_its_owner(
    service: str, migrated_database: DatabaseFactory
) -> None:
    database = migrated_database(service)
    with psycopg.connect(database.owner_url) as connection:
        if service in PARTITIONS:
            connection.execute(PARTITIONS[service].encode())
        guarded: dict[str, bool] = dict(connection.execute(TENANT_TABLES).fetchall())
        policies: dict[str, list[str]] = dict(connection.execute(POLICIES).fetchall())
        rules = connection.execute(RULE).fetchall()
    assert {"outbox", "saga"} < set(guarded)
    assert [table for table, is_forced in guarded.items() if not is_forced] == []
    expected = [f"background of {service}_system", f"organization of {service}_app"]
    assert {table: policies.get(table) for table in guarded} == dict.fromkeys(guarded, expected)
    assert all("canopy.organization" in using and check in {None, using} for using, check in rules)


@pytest.mark.parametrize("service", sorted(PARTITIONS))
def test_partitions_are_among_the_tables_that_are_looked_at(service: str, migrated_database: DatabaseFactory) -> None:
    with psycopg.connect(migrated_database(service).owner_url) as connection:
        connection.execute(PARTITIONS[service].encode())
        found: dict[str, bool] = dict(connection.execute(TENANT_TABLES).fetchall())
    assert len([table for table in found if table[-2:].isdigit()]) >= 1

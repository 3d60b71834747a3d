"""Is every tag as old as its resource: one that an earlier version wrote, and one that it writes beside this one?"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import NotNullViolation

from shared.db.migrate import downgrade, upgrade
from shared.kit.ids import new_id
from tests.fixtures.servers import Database, DatabaseFactory

PROVIDER = """
INSERT INTO cloud_providers (id, organization_id, provider_name, provider_type, display_name, regions, account_id,
    capabilities, metrics_period_s, is_active, health_status, created_by, created_at, updated_at, version)
VALUES (%(provider)s, %(organization)s, 'aws', 'primary', 'p', '[]', 'a', '{}', 300, true, 'healthy', 't', now(), now(), 1)
"""
RESOURCES = """
INSERT INTO cloud_resources (id, organization_id, provider_id, provider_name, region, resource_name, resource_type,
    resource_subtype, configuration, resource_status, environment, project, is_wedding_critical, created_by, created_at,
    updated_at, version)
SELECT gen_random_uuid(), %(organization)s, %(provider)s, 'aws', 'r', 'n' || n, 'compute', 'vm', '{}', 'running',
    'testing', 'p', false, 't', now() - n * interval '1 day', now(), 1 FROM generate_series(1, %(count)s) AS n
"""
TAGS = """
INSERT INTO resource_tags (organization_id, resource_id, key, value)
SELECT organization_id, id, %(key)s, repeat('v', 500) FROM cloud_resources
"""
COUNTS = """
SELECT count(*), count(*) FILTER (WHERE t.created_at = r.created_at)
FROM resource_tags t JOIN cloud_resources r ON r.id = t.resource_id
"""
FORCED = "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname IN ('cloud_resources', 'resource_tags')"


@contextmanager
def within(database: Database, organization: UUID) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.app_url) as connection:
        connection.execute("SELECT set_config('canopy.organization', %s, true)", [str(organization)])
        yield connection


def put_resources(database: Database, organization: UUID, count: int) -> None:
    given = {"organization": organization, "provider": new_id(), "count": count}
    with within(database, organization) as connection:
        connection.execute(PROVIDER, given)
        connection.execute(RESOURCES, given)


def put_tags(database: Database, organization: UUID, key: str) -> None:
    with within(database, organization) as connection:
        connection.execute(TAGS, {"key": key})


def test_old_tags_and_those_that_come_meanwhile_are_as_old_as_their_resources(
    migrated_database: DatabaseFactory,
) -> None:
    database = migrated_database("provisioner")
    large, small = new_id(), new_id()
    downgrade("provisioner", database.owner_url, "0008")
    for organization, count in ((large, 1500), (small, 1)):  # 15 tags fill a block, 64 blocks are filled at once
        put_resources(database, organization, count)
        put_tags(database, organization, "of before")
    upgrade("provisioner", database.owner_url, "0009")
    put_tags(database, small, "of meanwhile")
    with within(database, small) as connection:
        assert connection.execute(COUNTS).fetchone() == (2, 1)
    upgrade("provisioner", database.owner_url)
    for organization, count in ((large, 1500), (small, 2)):
        with within(database, organization) as connection:
            assert connection.execute(COUNTS).fetchone() == (count, count)
    with psycopg.connect(database.owner_url) as connection:
        assert connection.execute(FORCED).fetchone() == (True,)
        connection.execute("UPDATE alembic_version SET version_num = '0009'")  # as if it had been broken off at its end
    upgrade("provisioner", database.owner_url)


def test_a_resource_that_the_writer_may_not_see_takes_no_tag(migrated_database: DatabaseFactory) -> None:
    """No request comes to it: each finds its resource in the same transaction, and answers that there is none."""
    database = migrated_database("provisioner")
    owner, stranger = new_id(), new_id()
    put_resources(database, owner, 1)
    with within(database, owner) as connection:
        found = connection.execute("SELECT id FROM cloud_resources").fetchone()
    assert found is not None
    for resource in (found[0], new_id()):
        with pytest.raises(NotNullViolation), within(database, stranger) as connection:
            connection.execute("INSERT INTO resource_tags VALUES (%s, %s, 'key', 'value')", [stranger, resource])

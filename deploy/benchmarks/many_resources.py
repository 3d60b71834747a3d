"""How do a hundred thousand resources of several organizations come into the provisioner's tables?"""

from __future__ import annotations

from uuid import UUID

import psycopg

from deploy.benchmarks.deployment import Deployment
from shared.kit.ids import new_id

CLOUDS = ("aws", "azure", "gcp", "digitalocean", "linode", "vultr")
OTHERS = 4
"""Organizations beside the one that asks; they have a quarter as many resources each."""

_PROVIDER = """
INSERT INTO cloud_providers (id, organization_id, provider_name, provider_type, display_name, regions, account_id,
    capabilities, metrics_period_s, is_active, health_status, created_by, created_at, updated_at, version)
VALUES (%(id)s, %(organization)s, %(cloud)s::text, 'secondary', %(cloud)s::text || ' (many)', '["region-0"]', 'many',
    '{}', 300, false, 'healthy', 'benchmark', now(), now(), 1)
"""
_RESOURCES = """
INSERT INTO cloud_resources (id, organization_id, provider_id, provider_name, region, resource_id, resource_name,
    resource_type, resource_subtype, size_category, availability_zone, private_ip, configuration, resource_status,
    environment, project, is_wedding_critical, created_by, created_at, updated_at, version, origin, observed, placed_at)
SELECT gen_random_uuid(), %(organization)s, (%(providers)s::uuid[])[1 + n %% 6], (%(clouds)s::text[])[1 + n %% 6],
    'region-' || n %% 10, 'i-' || lpad(to_hex(n), 17, '0'),
    (ARRAY['web', 'api', 'worker', 'database', 'cache', 'search', 'batch', 'mail'])[1 + n %% 8]
        || '-' || lpad(n::text, 6, '0'),
    'compute', 'ec2_instance', 'small', 'region-' || n %% 10 || 'a', '10.0.0.1',
    '{"instance_type": "t3.micro", "root_volume_gib": 20}',
    (ARRAY['running', 'running', 'running', 'running', 'running', 'running', 'running', 'stopped', 'error',
           'terminated'])[1 + n / 7 %% 10],
    (ARRAY['production', 'staging', 'development'])[1 + n %% 3],
    (ARRAY['photos', 'booking', 'guests', 'seating', 'invoices'])[1 + n %% 5],
    false, 'benchmark', now() - n * interval '40 seconds', now(), 1, 'discovered', '{}', now()
FROM generate_series(1, %(count)s) AS n
"""
_TAGS = """
INSERT INTO resource_tags (organization_id, resource_id, key, value)
SELECT organization_id, id, key, value FROM cloud_resources,
    LATERAL (VALUES ('Name', resource_name), ('Environment', environment), ('Team', 'team-' || right(resource_name, 2)),
                    ('Rare', CASE WHEN right(resource_name, 3) = '777' THEN 'yes' END)) AS given (key, value)
WHERE organization_id = %(organization)s AND value IS NOT NULL
"""


def fill(deployment: Deployment, count: int) -> None:
    """Through the tables, as the service's own background work writes them; then as autovacuum would leave them."""
    url = deployment.stack.environment_of("provisioner")["CANOPY_DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL ROLE provisioner_system")
        _fill_one(connection, deployment.organization, count)
        for _ in range(OTHERS):
            _fill_one(connection, new_id(), count // OTHERS)
    owner = deployment.stack.operator_environment()["CANOPY_PROVISIONER_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE cloud_resources")
        connection.execute("VACUUM ANALYZE resource_tags")


def _fill_one(connection: psycopg.Connection, organization: UUID, count: int) -> None:
    providers = [new_id() for _ in CLOUDS]
    for cloud, provider in zip(CLOUDS, providers, strict=True):
        connection.execute(_PROVIDER, {"id": provider, "organization": organization, "cloud": cloud})
    given = {"organization": organization, "providers": providers, "clouds": list(CLOUDS), "count": count}
    connection.execute(_RESOURCES, given)
    connection.execute(_TAGS, given)

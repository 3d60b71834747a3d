"""What may not be asked for at Google Cloud is refused with the field, before Google hears of it."""

import pytest

from shared.clouds.errors import InvalidRequest
from shared.clouds.registry import catalog_of

CATALOG = catalog_of("gcp")
BUCKET, NETWORK = ("storage", "gcs_bucket"), ("network", "vpc_network")
DATABASE, BALANCER = ("database", "cloud_sql_instance"), ("load_balancer", "network_load_balancer")
BEFORE_HTTP = ("load_balancer", "application_load_balancer")
ZONE, CDN = ("dns", "cloud_dns_zone"), ("cdn", "cloud_cdn")


def subnet(name, ip_range, region="us-east1"):
    return {"name": name, "region": region, "ip_range": ip_range}


def zone(*records):
    return {"zone_name": "example.com", "records": [{"name": "www", "values": ["x"], **each} for each in records]}


WRONG = [
    (BUCKET, {"name": "With.Dots"}, "name"),
    (BUCKET, {"soft_delete_days": 3}, "soft_delete_days"),
    (BUCKET, {"public": True}, "public"),
    (NETWORK, {"subnets": [subnet("a", "10.0.0.0/24")]}, "subnets"),
    (
        NETWORK,
        {"subnet_mode": "custom", "subnets": [subnet("a", "10.0.0.0/24"), subnet("b", "10.0.0.0/25")]},
        "subnets",
    ),
    (
        NETWORK,
        {"subnet_mode": "custom", "subnets": [subnet("a", "10.0.0.0/24"), subnet("a", "10.1.0.0/24")]},
        "subnets",
    ),
    (NETWORK, {"subnet_mode": "custom", "subnets": [subnet("a", "10.0.0.0/30")]}, "subnets"),
    (DATABASE, {"source_database_id": "one"}, "source_database_id"),
    (DATABASE, {"high_availability": True, "backups": False}, "backups"),
    (DATABASE, {"root_password": "x"}, "root_password"),
    (DATABASE, {"storage_gib": 5}, "storage_gib"),
    (BALANCER, {"port": 90, "last_port": 80}, "last_port"),
    (BALANCER, {"machines": ["web-1"]}, "machines.0"),
    (BEFORE_HTTP, {"machines": ["web-1"]}, "machines.0"),
    (BEFORE_HTTP, {"domains": ["www"]}, "domains.0"),
    (BEFORE_HTTP, {"health_check": {"path": "ready"}}, "health_check.path"),
    (CDN, {}, "origin"),
    (CDN, {"origin": "www.example.com", "bucket": "photos"}, "origin"),
    (CDN, {"origin": "WWW.example.com"}, "origin"),
    (CDN, {"origin": "34.64.0.1"}, "origin_protocol"),
    (CDN, {"bucket": "photos", "domains": ["photos"]}, "domains.0"),
    (CDN, {"bucket": "photos", "cache": "origin_headers", "default_ttl_s": 60}, "default_ttl_s"),
    (ZONE, zone({"type": "A"}), "records.0.values"),
    (ZONE, zone({"type": "CNAME", "values": ["a.example", "b.example"]}), "records.0"),
    (ZONE, zone({"type": "NS", "name": "@", "values": ["ns.example"]}), "records.0"),
    (ZONE, zone({"type": "TXT"}, {"type": "TXT", "values": ["y"]}), "records"),
    (ZONE, zone({"type": "TXT"}, {"type": "CNAME", "values": ["y"]}), "records"),
]


@pytest.mark.parametrize(("kind", "configuration", "field"), WRONG)
def test_a_wrong_field_is_named(kind, configuration, field):
    with pytest.raises(InvalidRequest) as caught:
        CATALOG.configuration(*kind, configuration)
    assert field in {each.field for each in caught.value.problems}


def test_little_has_to_be_given():
    for kind in (BUCKET, NETWORK, DATABASE, BALANCER, BEFORE_HTTP):
        assert CATALOG.configuration(*kind, {})
    assert CATALOG.configuration(*CDN, {"bucket": "photos"})["domains"] == []
    assert CATALOG.configuration(*DATABASE, {"engine": "mysql"})["version"] == "8.4"
    assert CATALOG.configuration(*BALANCER, {"port": 443})["last_port"] == 443

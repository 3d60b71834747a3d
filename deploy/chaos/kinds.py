"""Which assets does a campaign make at each cloud, and what does it change of each?

All kinds that the clouds have, but DigitalOcean's CDN, which wants a bucket that is there before it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAME = "{name}"
"""In a configuration it stands for the thing's own name: no two zones of an account may have the same."""
RECORDS = [{"name": "www", "type": "A", "values": ["192.0.2.1"], "ttl_s": 300}]
ZONE, CHANGED_ZONE = {"zone_name": f"{NAME}.example"}, {"records": RECORDS}
ORIGIN = {"origin": "photos.example.com"}


@dataclass(frozen=True, slots=True)
class AssetKind:
    """What is ordered, and what a PUT changes of it afterwards: nothing where nothing of it can be changed."""

    resource_type: str
    subtype: str
    change: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    is_global: bool = False

    def configured(self, name: str) -> dict[str, Any]:
        return _with_name(self.configuration, name)

    def changed(self, name: str) -> dict[str, Any]:
        return _with_name(self.change, name)


ASSETS: Mapping[str, tuple[AssetKind, ...]] = {
    "aws": (
        AssetKind("storage", "s3_bucket", {"versioning": True, "require_tls": False}),
        AssetKind("network", "vpc", {"dns_hostnames": False}),
        AssetKind("load_balancer", "load_balancer", {"health_check_path": "/alive"}),
        AssetKind("database", "rds_instance", {"backup_retention_days": 3}),
        AssetKind("dns", "route53_zone", {"records": [{**RECORDS[0], "name": f"www.{NAME}.example"}]},
                  {"name": f"{NAME}.example"}, is_global=True),
        AssetKind("cdn", "cloudfront_distribution", {"cache": "disabled"}, ORIGIN, is_global=True),
    ),
    "azure": (
        AssetKind("storage", "storage_account", {"access_tier": "Cool", "versioning": True}),
        AssetKind("network", "virtual_network", {"dns_servers": ["10.62.0.4"]}),
        AssetKind("load_balancer", "load_balancer",
                  {"listeners": [{"protocol": "tcp", "port": 443, "target_port": 8443}]}, {"public": True}),
        AssetKind("database", "sql_database", {"backup_redundancy": "Local"}),
        AssetKind("dns", "dns_zone", {"records": [{**RECORDS[0], "target_id": None}]}, ZONE, is_global=True),
        AssetKind("cdn", "front_door", {"cache": "disabled"}, ORIGIN, is_global=True),
    ),
    "digitalocean": (
        AssetKind("storage", "spaces_bucket", {"versioning": True}),
        AssetKind("storage", "volume", {"size_gib": 20}),
        AssetKind("network", "vpc", {"name": f"{NAME}.renamed"}),
        AssetKind("load_balancer", "load_balancer", {"nodes": 2}),
        AssetKind("database", "database_cluster", {"trusted_addresses": ["203.0.113.7"]}),
        AssetKind("dns", "domain", CHANGED_ZONE, ZONE, is_global=True),
    ),
    "gcp": (
        AssetKind("storage", "gcs_bucket", {"versioning": True, "soft_delete_days": 0}, is_global=True),
        AssetKind("network", "vpc_network", {"routing_mode": "GLOBAL"}, is_global=True),
        AssetKind("load_balancer", "network_load_balancer",
                  {"health_check": {"port": 8080, "path": "/ready", "interval_s": 10}}),
        AssetKind("database", "cloud_sql_instance", {"storage_gib": 20}),
        AssetKind("dns", "cloud_dns_zone", CHANGED_ZONE, ZONE, is_global=True),
        AssetKind("cdn", "cloud_cdn", {"compression": False}, ORIGIN, is_global=True),
    ),
    "linode": (
        AssetKind("storage", "object_storage_bucket", {"cors": True}),
        AssetKind("storage", "volume", {"size_gib": 30}),
        AssetKind("network", "vpc", {"subnets": [{"name": "hall", "ip_range": "10.7.0.0/24"}]}),
        AssetKind("load_balancer", "nodebalancer", {"connections_per_second_max": 5}),
        AssetKind("database", "managed_database", {"allow_list": ["192.0.2.1"]}),
        AssetKind("dns", "domain", CHANGED_ZONE, ZONE, is_global=True),
    ),
    "vultr": (
        AssetKind("storage", "object_storage"),
        AssetKind("storage", "volume", {"size_gib": 20}),
        AssetKind("network", "vpc"),
        AssetKind("load_balancer", "load_balancer", {"balancing_algorithm": "leastconn"}),
        AssetKind("database", "managed_database", {"trusted_ips": ["192.0.2.1/32"]}),
        AssetKind("dns", "dns_domain", CHANGED_ZONE, ZONE, is_global=True),
        AssetKind("cdn", "cdn_pull_zone", {"cors": True}, {"origin_domain": "photos.example.com"}, is_global=True),
    ),
}  # fmt: skip


def asset_kind(provider: str, subtype: str, resource_type: str) -> AssetKind | None:
    """The one that a resource is of; None for a machine."""
    return next(
        (each for each in ASSETS[provider] if (each.resource_type, each.subtype) == (resource_type, subtype)), None
    )


def _with_name(configuration: Mapping[str, Any], name: str) -> dict[str, Any]:
    filled: dict[str, Any] = json.loads(json.dumps(configuration).replace(NAME, name))
    return filled

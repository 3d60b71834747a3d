"""What can be provisioned at DigitalOcean, and with which configuration?"""

from __future__ import annotations

from shared.clouds.catalog import Kind
from shared.clouds.digitalocean.asset_models import (
    CdnEndpointConfiguration,
    DatabaseClusterConfiguration,
    LoadBalancerConfiguration,
    SpacesBucketConfiguration,
    VolumeConfiguration,
    VpcConfiguration,
)
from shared.clouds.digitalocean.dns_models import DomainConfiguration
from shared.clouds.digitalocean.models import DropletConfiguration
from shared.clouds.libcloud.catalog import TokenCatalog


class DigitalOceanCatalog(TokenCatalog):
    name = "digitalocean"
    kinds = {  # noqa: RUF012 - a ClassVar above
        ("compute", "droplet"): Kind("Droplet", DropletConfiguration, can_stop=True),
        ("network", "vpc"): Kind("VPC", VpcConfiguration),
        ("load_balancer", "load_balancer"): Kind("Load balancer", LoadBalancerConfiguration),
        ("database", "database_cluster"): Kind("Database cluster", DatabaseClusterConfiguration),
        ("storage", "spaces_bucket"): Kind("Spaces bucket", SpacesBucketConfiguration),
        ("storage", "volume"): Kind("Volume", VolumeConfiguration),
        ("cdn", "cdn_endpoint"): Kind("CDN endpoint", CdnEndpointConfiguration, is_global=True),
        ("dns", "domain"): Kind("Domain", DomainConfiguration, is_global=True),
    }

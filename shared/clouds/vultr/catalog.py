"""What can be provisioned at Vultr, and with which configuration?"""

from __future__ import annotations

from shared.clouds.catalog import Kind
from shared.clouds.libcloud.catalog import TokenCatalog
from shared.clouds.vultr.asset_models import (
    BlockVolumeConfiguration,
    CdnPullZoneConfiguration,
    LoadBalancerConfiguration,
    ManagedDatabaseConfiguration,
    ObjectStorageConfiguration,
    VpcConfiguration,
)
from shared.clouds.vultr.dns_models import DnsDomainConfiguration
from shared.clouds.vultr.models import InstanceConfiguration


class VultrCatalog(TokenCatalog):
    name = "vultr"
    kinds = {  # noqa: RUF012 - a ClassVar above
        ("compute", "vultr_instance"): Kind("Vultr instance", InstanceConfiguration, can_stop=True),
        ("network", "vpc"): Kind("Vultr VPC", VpcConfiguration),
        ("storage", "volume"): Kind("Vultr block storage", BlockVolumeConfiguration),
        ("load_balancer", "load_balancer"): Kind("Vultr load balancer", LoadBalancerConfiguration),
        ("database", "managed_database"): Kind("Vultr managed database", ManagedDatabaseConfiguration),
        ("storage", "object_storage"): Kind("Vultr Object Storage subscription", ObjectStorageConfiguration),
        ("cdn", "cdn_pull_zone"): Kind("Vultr CDN pull zone", CdnPullZoneConfiguration, is_global=True),
        ("dns", "dns_domain"): Kind("Vultr DNS domain", DnsDomainConfiguration, is_global=True),
    }

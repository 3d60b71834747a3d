"""What can be provisioned at Linode, and with which configuration?"""

from __future__ import annotations

from shared.clouds.catalog import Kind
from shared.clouds.libcloud.catalog import TokenCatalog
from shared.clouds.linode.asset_models import (
    ManagedDatabaseConfiguration,
    NodeBalancerConfiguration,
    ObjectStorageBucketConfiguration,
    VolumeConfiguration,
    VpcConfiguration,
)
from shared.clouds.linode.dns_models import DomainConfiguration
from shared.clouds.linode.models import InstanceConfiguration


class LinodeCatalog(TokenCatalog):
    """No content delivery: Linode's API has none."""

    name = "linode"
    kinds = {  # noqa: RUF012 - a ClassVar above
        ("compute", "linode"): Kind("Linode", InstanceConfiguration, can_stop=True),
        ("network", "vpc"): Kind("VPC", VpcConfiguration),
        ("storage", "volume"): Kind("Volume", VolumeConfiguration),
        ("load_balancer", "nodebalancer"): Kind("NodeBalancer", NodeBalancerConfiguration),
        ("dns", "domain"): Kind("Domain", DomainConfiguration, is_global=True),
        ("database", "managed_database"): Kind("Managed database", ManagedDatabaseConfiguration, can_stop=True),
        ("storage", "object_storage_bucket"): Kind("Object Storage bucket", ObjectStorageBucketConfiguration),
    }

"""What can be provisioned at Azure, and with which credentials and configuration?"""

from __future__ import annotations

from shared.clouds.azure.asset_models import (
    AzureLoadBalancerConfiguration,
    AzureSqlDatabaseConfiguration,
    AzureStorageAccountConfiguration,
    AzureVirtualNetworkConfiguration,
)
from shared.clouds.azure.cdn_models import AzureFrontDoorConfiguration
from shared.clouds.azure.dns_models import AzureDnsZoneConfiguration
from shared.clouds.azure.models import (
    AzureCredentials,
    AzureMachineConfiguration,
    CertificateCredentials,
    WorkloadCredentials,
)
from shared.clouds.catalog import Kind, ModelCatalog
from shared.clouds.models import Spot


class AzureCatalog(ModelCatalog):
    name = "azure"
    credentials_models = {  # noqa: RUF012
        "client_secret": AzureCredentials,
        "client_certificate": CertificateCredentials,
        "workload_identity": WorkloadCredentials,
    }
    kinds = {  # noqa: RUF012 - a ClassVar above
        ("compute", "virtual_machine"): Kind(
            "Virtual machine", AzureMachineConfiguration, can_stop=True, spot=Spot(can_stop=True)
        ),
        ("storage", "storage_account"): Kind("Storage account", AzureStorageAccountConfiguration),
        ("network", "virtual_network"): Kind("Virtual network", AzureVirtualNetworkConfiguration),
        ("load_balancer", "load_balancer"): Kind("Load balancer", AzureLoadBalancerConfiguration),
        ("cdn", "front_door"): Kind("Azure Front Door", AzureFrontDoorConfiguration, is_global=True, can_stop=True),
        ("dns", "dns_zone"): Kind("DNS zone", AzureDnsZoneConfiguration, is_global=True),
        ("database", "sql_database"): Kind("SQL database", AzureSqlDatabaseConfiguration),
    }

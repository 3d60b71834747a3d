"""What can be provisioned at Google Cloud, and with which credentials and configuration?"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from shared.clouds.catalog import Kind, ModelCatalog
from shared.clouds.gcp.asset_models import (
    CloudSqlInstanceConfiguration,
    GcsBucketConfiguration,
    NetworkLoadBalancerConfiguration,
    VpcNetworkConfiguration,
)
from shared.clouds.gcp.balancer_models import ApplicationLoadBalancerConfiguration
from shared.clouds.gcp.cdn_models import CloudCdnConfiguration
from shared.clouds.gcp.dns_models import CloudDnsZoneConfiguration
from shared.clouds.gcp.models import GceInstanceConfiguration, GcpCredentials, GcpWorkloadCredentials
from shared.clouds.models import Spot

_KEY = "service_account_key"


class GcpCatalog(ModelCatalog):
    name = "gcp"
    credentials_models = {  # noqa: RUF012
        "service_account_key": GcpCredentials,
        "workload_identity": GcpWorkloadCredentials,
    }
    kinds = {  # noqa: RUF012 - a ClassVar above
        ("compute", "gce_instance"): Kind(
            "Compute Engine instance", GceInstanceConfiguration, can_stop=True, spot=Spot(can_stop=True)
        ),
        ("storage", "gcs_bucket"): Kind("Cloud Storage bucket", GcsBucketConfiguration, is_global=True),
        ("network", "vpc_network"): Kind("VPC network", VpcNetworkConfiguration, is_global=True),
        ("database", "cloud_sql_instance"): Kind("Cloud SQL instance", CloudSqlInstanceConfiguration, can_stop=True),
        ("load_balancer", "network_load_balancer"): Kind("Network load balancer", NetworkLoadBalancerConfiguration),
        ("load_balancer", "application_load_balancer"): Kind(
            "Application load balancer", ApplicationLoadBalancerConfiguration, is_global=True
        ),
        ("cdn", "cloud_cdn"): Kind("Cloud CDN", CloudCdnConfiguration, is_global=True),
        ("dns", "cloud_dns_zone"): Kind("Cloud DNS zone", CloudDnsZoneConfiguration, is_global=True),
    }

    def schema_of(self, method: str) -> dict[str, Any]:
        """The key may be an object or text: pydantic describes the object only."""
        schema = super().schema_of(method)
        key = schema["properties"].get(_KEY)
        if key is not None:
            text = {"type": "string", "contentMediaType": "application/json", "writeOnly": True}
            schema["properties"][_KEY] = {
                "description": key["description"],
                "anyOf": [{"$ref": key["$ref"]}, text],
            }
        return schema

    def plain(self, checked: BaseModel) -> dict[str, Any]:
        """The key is kept as one line of JSON with only what is used of it; see `ServiceAccountKey`."""
        found = super().plain(checked)
        if isinstance(checked, GcpCredentials):
            found[_KEY] = checked.service_account_key.canonical()
        return found

"""What can be provisioned at AWS, and with which credentials and configuration?"""

from __future__ import annotations

from types import MappingProxyType

from shared.clouds.aws.asset_models import (
    CloudFrontDistributionConfiguration,
    LoadBalancerConfiguration,
    RdsInstanceConfiguration,
    Route53ZoneConfiguration,
    S3BucketConfiguration,
    VpcConfiguration,
)
from shared.clouds.aws.models import AssumedRole, AwsCredentials, Ec2InstanceConfiguration, WebIdentityRole
from shared.clouds.catalog import Kind, ModelCatalog
from shared.clouds.models import Spot


class AwsCatalog(ModelCatalog):
    name = "aws"
    credentials_models = {  # noqa: RUF012
        "access_key": AwsCredentials,
        "assume_role": AssumedRole,
        "web_identity": WebIdentityRole,
    }
    kinds = MappingProxyType(
        {
            ("compute", "ec2_instance"): Kind(
                "EC2 instance", Ec2InstanceConfiguration, can_stop=True, spot=Spot(can_stop=False)
            ),
            ("storage", "s3_bucket"): Kind("S3 bucket", S3BucketConfiguration),
            ("network", "vpc"): Kind("VPC", VpcConfiguration),
            ("load_balancer", "load_balancer"): Kind("Load balancer", LoadBalancerConfiguration),
            ("database", "rds_instance"): Kind("RDS database", RdsInstanceConfiguration, can_stop=True),
            ("dns", "route53_zone"): Kind("Route 53 zone", Route53ZoneConfiguration, is_global=True),
            ("cdn", "cloudfront_distribution"): Kind(
                "CloudFront distribution", CloudFrontDistributionConfiguration, is_global=True, can_stop=True
            ),
        }
    )

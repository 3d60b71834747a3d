"""What can be provisioned at AWS, and with which credentials and configuration?"""

from __future__ import annotations

from shared.clouds.aws.models import AwsCredentials, Ec2InstanceConfiguration
from shared.clouds.catalog import Kind, ModelCatalog


class AwsCatalog(ModelCatalog):
    name = "aws"
    credentials_model = AwsCredentials
    kinds = {("compute", "ec2_instance"): Kind("EC2 instance", Ec2InstanceConfiguration, can_stop=True)}  # noqa: RUF012 - a ClassVar above

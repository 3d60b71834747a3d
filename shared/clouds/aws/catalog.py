"""What can be provisioned at AWS, and with which credentials and configuration?"""

from __future__ import annotations

from shared.clouds.aws.models import AwsCredentials, Ec2InstanceConfiguration
from shared.clouds.catalog import ModelCatalog


class AwsCatalog(ModelCatalog):
    name = "aws"
    credentials_model = AwsCredentials
    configurations = {("compute", "ec2_instance"): ("EC2 instance", Ec2InstanceConfiguration)}  # noqa: RUF012

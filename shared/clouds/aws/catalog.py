"""What can be provisioned at AWS, and with which credentials and configuration?"""

from __future__ import annotations

from shared.clouds.aws.models import AssumedRole, AwsCredentials, Ec2InstanceConfiguration, WebIdentityRole
from shared.clouds.catalog import Kind, ModelCatalog


class AwsCatalog(ModelCatalog):
    name = "aws"
    credentials_models = {  # noqa: RUF012
        "access_key": AwsCredentials,
        "assume_role": AssumedRole,
        "web_identity": WebIdentityRole,
    }
    kinds = {("compute", "ec2_instance"): Kind("EC2 instance", Ec2InstanceConfiguration, can_stop=True)}  # noqa: RUF012 - a ClassVar above

"""What can be provisioned at Azure, and with which credentials and configuration?"""

from __future__ import annotations

from shared.clouds.azure.models import (
    AzureCredentials,
    AzureMachineConfiguration,
    CertificateCredentials,
    WorkloadCredentials,
)
from shared.clouds.catalog import Kind, ModelCatalog


class AzureCatalog(ModelCatalog):
    name = "azure"
    credentials_models = {  # noqa: RUF012
        "client_secret": AzureCredentials,
        "client_certificate": CertificateCredentials,
        "workload_identity": WorkloadCredentials,
    }
    kinds = {("compute", "virtual_machine"): Kind("Virtual machine", AzureMachineConfiguration, can_stop=True)}  # noqa: RUF012 - a ClassVar above

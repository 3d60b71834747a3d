"""What can be provisioned at Azure, and with which credentials and configuration?"""

from __future__ import annotations

from shared.clouds.azure.models import AzureCredentials, AzureMachineConfiguration
from shared.clouds.catalog import ModelCatalog


class AzureCatalog(ModelCatalog):
    name = "azure"
    credentials_model = AzureCredentials
    configurations = {("compute", "virtual_machine"): ("Virtual machine", AzureMachineConfiguration)}  # noqa: RUF012

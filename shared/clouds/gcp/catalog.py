"""What can be provisioned at Google Cloud, and with which credentials and configuration?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.catalog import Kind, ModelCatalog
from shared.clouds.gcp.models import GceInstanceConfiguration, GcpCredentials
from shared.clouds.models import Credentials


class GcpCatalog(ModelCatalog):
    name = "gcp"
    credentials_model = GcpCredentials
    kinds = {("compute", "gce_instance"): Kind("Compute Engine instance", GceInstanceConfiguration, can_stop=True)}  # noqa: RUF012 - a ClassVar above

    @property
    def credentials_schema(self) -> Mapping[str, Any]:
        """The key may be an object or text: pydantic describes the object only."""
        schema = GcpCredentials.model_json_schema()
        key = schema["properties"]["service_account_key"]
        text = {"type": "string", "contentMediaType": "application/json", "writeOnly": True}
        schema["properties"]["service_account_key"] = {
            "description": key["description"],
            "anyOf": [{"$ref": key["$ref"]}, text],
        }
        return schema

    def credentials(self, configuration: Mapping[str, Any]) -> Credentials:
        """The key is kept as one line of JSON with only what is used of it; see `ServiceAccountKey`."""
        checked = self.checked(GcpCredentials, configuration, "credentials", "Invalid credential configuration")
        key = checked.service_account_key
        return Credentials({"project_id": checked.project_id, "service_account_key": key.canonical()})

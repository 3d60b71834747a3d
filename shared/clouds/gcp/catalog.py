"""What can be provisioned at Google Cloud, and with which credentials and configuration?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.clouds.capabilities import Catalog
from shared.clouds.errors import FieldProblem, InvalidRequest, Unsupported
from shared.clouds.gcp.models import GceInstanceConfiguration, GcpCredentials
from shared.clouds.models import Credentials, ResourceOffer

_PROVIDER = "gcp"

_Model = TypeVar("_Model", bound=BaseModel)

_CONFIGURATIONS: Mapping[tuple[str, str], tuple[str, type[BaseModel]]] = {
    ("compute", "gce_instance"): ("Compute Engine instance", GceInstanceConfiguration),
}


class GcpCatalog(Catalog):
    """What Google Cloud takes, without its SDK."""

    @property
    def provider_name(self) -> str:
        return _PROVIDER

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
        checked = _validated(GcpCredentials, configuration, "credentials", "Invalid credential configuration")
        key = checked.service_account_key
        return Credentials({"project_id": checked.project_id, "service_account_key": key.canonical()})

    def offers(self) -> tuple[ResourceOffer, ...]:
        return tuple(
            ResourceOffer(resource_type, subtype, title, model.model_json_schema())
            for (resource_type, subtype), (title, model) in _CONFIGURATIONS.items()
        )

    def configuration(
        self, resource_type: str, resource_subtype: str, configuration: Mapping[str, Any]
    ) -> dict[str, Any]:
        known = _CONFIGURATIONS.get((resource_type, resource_subtype))
        if known is None:
            raise _unsupported(resource_type, resource_subtype)
        return _validated(known[1], configuration, "configuration", "Invalid configuration").model_dump(mode="json")


def _unsupported(resource_type: str, resource_subtype: str) -> Unsupported:
    types = {each for each, _ in _CONFIGURATIONS}
    field, name, known = (
        ("resource_subtype", resource_subtype, {each for kind, each in _CONFIGURATIONS if kind == resource_type})
        if resource_type in types
        else ("resource_type", resource_type, types)
    )
    return Unsupported(
        "unsupported_resource_type",
        f"Unsupported resource type: {name}",
        provider=_PROVIDER,
        operation="configuration",
        problems=(FieldProblem(field, f"is one of {', '.join(sorted(known))}"),),
    )


def _validated(model: type[_Model], values: Mapping[str, Any], operation: str, title: str) -> _Model:
    """Raised outside the `except`: pydantic's exception holds the rejected values, and one may be a key."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join(str(part) for part in each["loc"]), each["msg"])
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
    raise InvalidRequest(
        f"invalid_{operation}",
        f"{title}: " + "; ".join(f"{each.field}: {each.detail}" for each in problems),
        provider=_PROVIDER,
        operation=operation,
        problems=problems,
    )

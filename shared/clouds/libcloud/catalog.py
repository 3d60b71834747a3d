"""What can be provisioned at a cloud whose credential is one token, and with which configuration?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from shared.clouds.capabilities import Catalog
from shared.clouds.errors import FieldProblem, InvalidRequest, Unsupported
from shared.clouds.models import Credentials, ResourceOffer

_Model = TypeVar("_Model", bound=BaseModel)

STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)


class TokenCredentials(BaseModel):
    """A personal access token; read scope is enough for everything that only reads."""

    model_config = STRICT

    token: SecretStr = Field(min_length=1, max_length=512, json_schema_extra={"writeOnly": True})

    @field_validator("token")
    @classmethod
    def _is_one_word(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
            raise ValueError("has letters, digits and signs only")
        return value


class TokenCatalog(Catalog):
    """A provider names itself and its configurations, by resource type and subtype, with their titles."""

    name: ClassVar[str]
    configurations: ClassVar[Mapping[tuple[str, str], tuple[str, type[BaseModel]]]]

    @property
    def provider_name(self) -> str:
        return self.name

    @property
    def credentials_schema(self) -> Mapping[str, Any]:
        return TokenCredentials.model_json_schema()

    def credentials(self, configuration: Mapping[str, Any]) -> Credentials:
        checked = self._validated(TokenCredentials, configuration, "credentials", "Invalid credential configuration")
        return Credentials({"token": checked.token.get_secret_value()})

    def offers(self) -> tuple[ResourceOffer, ...]:
        return tuple(
            ResourceOffer(resource_type, subtype, title, model.model_json_schema())
            for (resource_type, subtype), (title, model) in self.configurations.items()
        )

    def configuration(
        self, resource_type: str, resource_subtype: str, configuration: Mapping[str, Any]
    ) -> dict[str, Any]:
        known = self.configurations.get((resource_type, resource_subtype))
        if known is None:
            raise self._unsupported(resource_type, resource_subtype)
        checked = self._validated(known[1], configuration, "configuration", "Invalid configuration")
        return checked.model_dump(mode="json")

    def _unsupported(self, resource_type: str, resource_subtype: str) -> Unsupported:
        types = {each for each, _ in self.configurations}
        subtypes = {each for kind, each in self.configurations if kind == resource_type}
        field, name, known = (
            ("resource_subtype", resource_subtype, subtypes)
            if resource_type in types
            else ("resource_type", resource_type, types)
        )
        return Unsupported(
            "unsupported_resource_type",
            f"Unsupported resource type: {name}",
            provider=self.name,
            operation="configuration",
            problems=(FieldProblem(field, f"is one of {', '.join(sorted(known))}"),),
        )

    def _validated(self, model: type[_Model], values: Mapping[str, Any], operation: str, title: str) -> _Model:
        """Raised outside the `except`: pydantic's exception holds the rejected values, and one may be a token."""
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
            provider=self.name,
            operation=operation,
            problems=problems,
        )

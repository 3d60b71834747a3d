"""How does a cloud's catalog follow from its models: of the credentials, and of each kind of resource?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from shared.clouds.capabilities import Catalog
from shared.clouds.errors import FieldProblem, InvalidRequest, Unsupported
from shared.clouds.models import Credentials, ResourceOffer

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource: what people call it, the model of its configuration, and how it lives (`ResourceOffer`)."""

    title: str
    model: type[BaseModel]
    is_global: bool = False
    can_stop: bool = False


class ModelCatalog(Catalog):
    """A provider names itself, its credentials and its kinds of resources by type and subtype."""

    name: ClassVar[str]
    credentials_model: ClassVar[type[BaseModel]]
    kinds: ClassVar[Mapping[tuple[str, str], Kind]]

    @property
    def provider_name(self) -> str:
        return self.name

    @property
    def credentials_schema(self) -> Mapping[str, Any]:
        return self.credentials_model.model_json_schema()

    def credentials(self, configuration: Mapping[str, Any]) -> Credentials:
        checked = self.checked(self.credentials_model, configuration, "credentials", "Invalid credential configuration")
        return Credentials(
            {
                name: value.get_secret_value() if isinstance(value, SecretStr) else value
                for name, value in checked
                if value is not None
            }
        )

    def offers(self) -> tuple[ResourceOffer, ...]:
        return tuple(
            ResourceOffer(
                resource_type, subtype, kind.title, kind.model.model_json_schema(), kind.is_global, kind.can_stop
            )
            for (resource_type, subtype), kind in self.kinds.items()
        )

    def configuration(
        self, resource_type: str, resource_subtype: str, configuration: Mapping[str, Any]
    ) -> dict[str, Any]:
        known = self.kinds.get((resource_type, resource_subtype))
        if known is None:
            raise self._unsupported(resource_type, resource_subtype)
        checked = self.checked(known.model, configuration, "configuration", "Invalid configuration")
        return checked.model_dump(mode="json")

    def _unsupported(self, resource_type: str, resource_subtype: str) -> Unsupported:
        types = {each for each, _ in self.kinds}
        subtypes = {each for kind, each in self.kinds if kind == resource_type}
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

    def checked(self, model: type[_Model], values: Mapping[str, Any], operation: str, title: str) -> _Model:
        """Raises InvalidRequest: outside the `except`, since pydantic's exception holds the values, one maybe a key."""
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

"""How does a cloud's catalog follow from its models: of the credentials, and of each kind of resource?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel, SecretStr, ValidationError

from shared.clouds.capabilities import Catalog
from shared.clouds.errors import FieldProblem, InvalidRequest, Unsupported
from shared.clouds.models import Credentials, ResourceOffer, Spot

_Model = TypeVar("_Model", bound=BaseModel)


METHOD = "method"
"""The field that says in which way an account is opened; left out it is the provider's first."""
MARK = "organization_id"
"""The field by which credentials that hold no secret of the tenant's say whose they are; ours alone to fill in."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource: what people call it, the model of its configuration, and how it lives (`ResourceOffer`)."""

    title: str
    model: type[BaseModel]
    is_global: bool = False
    can_stop: bool = False
    spot: Spot | None = None


class ModelCatalog(Catalog):
    """A provider names itself, its credentials by method, and its kinds of resources by type and subtype."""

    name: ClassVar[str]
    credentials_models: ClassVar[Mapping[str, type[BaseModel]]]
    kinds: ClassVar[Mapping[tuple[str, str], Kind]]

    @property
    def provider_name(self) -> str:
        return self.name

    @property
    def credentials_schema(self) -> Mapping[str, Any]:
        """One schema, or `oneOf` several that `method` tells apart."""
        schemas = [self.schema_of(method) for method in self.credentials_models]
        if len(schemas) == 1:
            return schemas[0]
        shared = {name: each for schema in schemas for name, each in schema.pop("$defs", {}).items()}
        return {"type": "object", "oneOf": schemas, **({"$defs": shared} if shared else {})}

    def schema_of(self, method: str) -> dict[str, Any]:
        """The JSON Schema of one method's credentials, as a tenant gives them: without our mark."""
        schema = self.credentials_models[method].model_json_schema()
        schema["properties"].pop(MARK, None)
        required = [name for name in schema.get("required", []) if name != MARK]
        first = method == next(iter(self.credentials_models))
        schema["properties"] |= {METHOD: {"const": method}} if len(self.credentials_models) > 1 else {}
        return {**schema, "required": required if first else [*required, METHOD]}

    def credentials(self, configuration: Mapping[str, Any]) -> Credentials:
        method, model, given = self._chosen(configuration)
        checked = self.checked(model, given, "credentials", "Invalid credential configuration")
        values = {name: value for name, value in self.plain(checked).items() if value is not None}
        return Credentials(values if method == next(iter(self.credentials_models)) else {**values, METHOD: method})

    def issued(self, configuration: Mapping[str, Any], organization: UUID) -> dict[str, Any]:
        _, model, _ = self._chosen(configuration)
        if MARK not in model.model_fields:
            return dict(configuration)
        if MARK in configuration:
            raise self._refused(MARK, "is not yours to choose: it is the organization that asks")
        return {**configuration, MARK: str(organization)}

    def plain(self, checked: BaseModel) -> dict[str, Any]:
        """The fields as texts, secrets in the open: only ever for `Credentials`, which do not print themselves."""
        return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in checked}

    def _chosen(self, configuration: Mapping[str, Any]) -> tuple[str, type[BaseModel], dict[str, Any]]:
        """The method, its model, and the rest of the fields."""
        given = dict(configuration)
        if len(self.credentials_models) == 1:
            return *next(iter(self.credentials_models.items())), given
        method = given.pop(METHOD, next(iter(self.credentials_models)))
        if not isinstance(method, str) or method not in self.credentials_models:
            raise self._refused(METHOD, f"is one of {', '.join(self.credentials_models)}")
        return method, self.credentials_models[method], given

    def _refused(self, field: str, detail: str) -> InvalidRequest:
        return InvalidRequest(
            "invalid_credentials",
            f"Invalid credential configuration: {field}: {detail}",
            provider=self.name,
            operation="credentials",
            problems=(FieldProblem(field, detail),),
        )

    def offers(self) -> tuple[ResourceOffer, ...]:
        return self._offers

    @cached_property
    def _offers(self) -> tuple[ResourceOffer, ...]:
        """Made once: pydantic takes milliseconds to say each schema, and every order asks for one."""
        return tuple(
            ResourceOffer(
                resource_type=resource_type,
                resource_subtype=subtype,
                display_name=kind.title,
                configuration_schema=kind.model.model_json_schema(),
                is_global=kind.is_global,
                can_stop=kind.can_stop,
                spot=kind.spot,
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

"""What can be provisioned at a cloud whose credential is one token, and with which configuration?"""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from shared.clouds.catalog import ModelCatalog

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


class TokenCatalog(ModelCatalog):
    """A catalog of a provider that takes a token."""

    credentials_models: ClassVar = {"token": TokenCredentials}

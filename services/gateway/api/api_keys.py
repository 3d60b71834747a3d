"""Routes of API keys: what programs come in with."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.api_keys import ApiKey, CreateApiKey, GetApiKey, ListApiKeys, NewApiKey, RevokeApiKey
from shared.messages.base import Page
from shared.messages.texts import Line
from shared.messages.users import RoleName
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/api-keys", tags=["API keys"])

Reader = Annotated[Caller, Depends(needs(Permission.API_KEYS_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.API_KEYS_WRITE))]


class CreateApiKeyBody(BaseModel):
    """A key whose role holds no more than the creator's; null: it does not expire."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "deploy bot", "role": "engineer", "expires_at": None}]}
    )

    name: Line = Field(min_length=1, max_length=200)
    role: RoleName
    expires_at: AwareDatetime | None = None


class ApiKeyQuery(PageQuery):
    """`sort` is `created_at` or `name`."""

    role: RoleName | None = None
    include_revoked: bool = False


@router.get("", response_model=Page[ApiKey])
async def list_api_keys(caller: Reader, query: Annotated[ApiKeyQuery, Query()]) -> Response:
    """Keys without their secrets, newest first unless `sort` says otherwise."""
    return await caller.ask(ListApiKeys, **query.model_dump())


@router.get("/{api_key}", response_model=ApiKey)
async def get_api_key(api_key: UUID, caller: Reader) -> Response:
    """A key without its secret; a revoked one too."""
    return await caller.ask(GetApiKey, api_key=api_key)


@router.post("", status_code=201, response_model=NewApiKey)
async def create_api_key(body: CreateApiKeyBody, caller: Writer) -> Response:
    """The key is shown in this answer and never again; a repeat of the Idempotency-Key is 409 `already_created`."""
    return await caller.ask(
        CreateApiKey,
        status_code=201,
        location="/api/api-keys/{id}",
        key_name=body.name,
        role_of_key=body.role,
        expires_at=body.expires_at,
    )


@router.delete("/{api_key}", status_code=204)
async def revoke_api_key(api_key: UUID, caller: Writer) -> Response:
    """It dies on every replica at once, within a few seconds at the latest. Revoking twice is once."""
    return await caller.ask(RevokeApiKey, status_code=204, api_key=api_key)

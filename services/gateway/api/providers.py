"""Which accounts at clouds does an organization have? Answered by the provisioner; credentials go in and never out."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.domain.rate_limits import RouteKind
from shared.messages.base import Page
from shared.messages.providers import (
    ConnectionTest,
    CreateProvider,
    GetProvider,
    GetTrust,
    ListProviders,
    ListRegions,
    Provider,
    ProviderName,
    ProviderType,
    Region,
    RemoveProvider,
    TestConnection,
    Trust,
    UpdateProvider,
)
from shared.messages.texts import Line, Prose
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["providers"])

Reader = Annotated[Caller, Depends(needs(Permission.PROVIDERS_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.PROVIDERS_WRITE))]
CloudCaller = Annotated[Caller, Depends(needs(Permission.PROVIDERS_WRITE, RouteKind.LONG_WORK))]

_BUDGET_MAX = 1e12
_EXAMPLE: dict[str, Any] = {
    "provider_name": "aws",
    "provider_type": "primary",
    "display_name": "AWS production",
    "regions": ["us-east-1", "us-west-2"],
    "credentials_config": {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "the secret"},
    "cost_budget": 10000,
}


class CreateProviderBody(BaseModel):
    """An account; `regions` left out: all that it has. `credentials_config` as the provider's schema says."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [_EXAMPLE]})

    provider_name: ProviderName
    provider_type: ProviderType = "primary"
    display_name: Line = Field(min_length=1, max_length=200)
    description: Prose | None = Field(default=None, max_length=2000)
    regions: list[Line] = Field(default_factory=list, max_length=100)
    credentials_config: dict[str, Any] = Field(repr=False, json_schema_extra={"writeOnly": True})
    cost_budget: float | None = Field(default=None, ge=0, le=_BUDGET_MAX, allow_inf_nan=False)
    metrics_period_s: int | None = Field(default=None, ge=1, le=86_400)


class UpdateProviderBody(BaseModel):
    """Only the fields that are given (and not null) change; new credentials are tried before the old are dropped."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"display_name": "AWS main", "cost_budget": 12000}]},
    )

    provider_type: ProviderType | None = None
    display_name: Line | None = Field(default=None, min_length=1, max_length=200)
    description: Prose | None = Field(default=None, max_length=2000)
    regions: list[Line] | None = Field(default=None, min_length=1, max_length=100)
    credentials_config: dict[str, Any] | None = Field(default=None, repr=False, json_schema_extra={"writeOnly": True})
    cost_budget: float | None = Field(default=None, ge=0, le=_BUDGET_MAX, allow_inf_nan=False)
    metrics_period_s: int | None = Field(default=None, ge=1, le=86_400)
    is_active: bool | None = None


@router.post("/providers", status_code=201, response_model=Provider)
async def create_provider(body: CreateProviderBody, caller: CloudCaller) -> Response:
    """Tries the credentials at the cloud first; 422 `invalid_credentials` stores nothing."""
    return await caller.ask(CreateProvider, status_code=201, location="/api/cloud/providers/{id}", **body.model_dump())


@router.get("/providers", response_model=Page[Provider])
async def list_providers(
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    sort: Annotated[str | None, Query(max_length=100, description="created_at, display_name; - descends")] = None,
    provider_name: Annotated[Line | None, Query(max_length=32)] = None,
    q: Annotated[Line | None, Query(max_length=200, description="beginning of the display name")] = None,
) -> Response:
    return await caller.ask(ListProviders, limit=limit, cursor=cursor, sort=sort, provider_name=provider_name, q=q)


@router.get("/providers/trust", response_model=Trust)
async def get_trust(
    caller: Reader, provider_name: Annotated[ProviderName, Query(description="at which cloud")]
) -> Response:
    """What the organization's cloud has to trust (external id, token's subject): docs/how-to/add-an-account.md."""
    return await caller.ask(GetTrust, provider_name=provider_name)


@router.get("/providers/{provider}", response_model=Provider)
async def get_provider(provider: UUID, caller: Reader) -> Response:
    return await caller.ask(GetProvider, provider_id=provider)


@router.put("/providers/{provider}", response_model=Provider)
async def update_provider(provider: UUID, body: UpdateProviderBody, caller: CloudCaller) -> Response:
    return await caller.ask(UpdateProvider, provider_id=provider, **body.model_dump())


@router.delete("/providers/{provider}", response_model=Provider)
async def remove_provider(provider: UUID, caller: Writer) -> Response:
    """409 `active_resources` while resources of it are not terminated."""
    return await caller.ask(RemoveProvider, provider_id=provider)


@router.post("/providers/{provider}/test-connection", response_model=ConnectionTest)
async def test_connection(provider: UUID, caller: CloudCaller) -> Response:
    """Whether the provider accepts the stored credentials now; its health follows."""
    return await caller.ask(TestConnection, provider_id=provider)


@router.post("/providers/{provider}/test", response_model=ConnectionTest)
async def test_provider(provider: UUID, caller: CloudCaller) -> Response:
    """The other name of `test-connection`."""
    return await test_connection(provider, caller)


@router.get("/providers/{provider}/regions", response_model=Page[Region])
async def list_regions(provider: UUID, caller: Reader) -> Response:
    return await caller.ask(ListRegions, provider_id=provider)

"""How complete is the inventory of an account, and who reads it again? Answered by the provisioner."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.syncs import AcceptedSync, GetProviderSync, ProviderSync, SyncProvider
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["syncs"])

Reader = Annotated[Caller, Depends(needs(Permission.PROVIDERS_READ))]
Operator = Annotated[Caller, Depends(needs(Permission.RESOURCES_OPERATE))]


@router.post("/providers/{provider}/sync", status_code=202, response_model=AcceptedSync)
async def sync_provider(provider: UUID, caller: Operator) -> Response:
    """Reads all scopes of the account now; 409 `sync_in_progress` while that is done already."""
    return await caller.begin(SyncProvider, location="/api/cloud/providers/{id}/sync", provider_id=provider)


@router.get("/providers/{provider}/sync", response_model=ProviderSync)
async def get_provider_sync(provider: UUID, caller: Reader) -> Response:
    """Per region and kind of thing: whether its facts are fresh, how old they are, and why they are not newer."""
    return await caller.ask(GetProviderSync, provider_id=provider)

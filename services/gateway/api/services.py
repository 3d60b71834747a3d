"""What can be provisioned at an account? Answered by the provisioner."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.base import Page
from shared.messages.services import ListServices, ProviderService
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["services"])

Reader = Annotated[Caller, Depends(needs(Permission.PROVIDERS_READ))]


@router.get("/providers/{provider}/services", response_model=Page[ProviderService])
async def list_services(provider: UUID, caller: Reader) -> Response:
    """Every kind of resource with the JSON Schema of its configuration, which checks what is provisioned."""
    return await caller.ask(ListServices, provider_id=provider)

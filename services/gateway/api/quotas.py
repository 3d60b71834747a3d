"""How much may an account have, and how much of it has it? Answered by the provisioner, which asks the cloud."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.domain.rate_limits import RouteKind
from shared.messages.quotas import GLOBAL, ListQuotas, ProviderQuotas
from shared.messages.texts import Line
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["quotas"])

CloudReader = Annotated[Caller, Depends(needs(Permission.PROVIDERS_READ, RouteKind.LONG_WORK))]


@router.get("/providers/{provider}/quotas", response_model=ProviderQuotas)
async def list_quotas(
    provider: UUID,
    caller: CloudReader,
    region: Annotated[
        Line, Query(min_length=1, max_length=64, description="a region; left out: what belongs to none")
    ] = GLOBAL,
) -> Response:
    """The provider's own limits of a region. 409 `unsupported_capability` where it tells none."""
    return await caller.ask(ListQuotas, provider_id=provider, region=region)

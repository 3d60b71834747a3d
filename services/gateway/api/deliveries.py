"""What became of the notifications of a channel?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.base import Page
from shared.messages.deliveries import Delivery, DeliveryStatus, ListDeliveries
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/notification-channels", tags=["channels"])

Reader = Annotated[Caller, Depends(needs(Permission.CHANNELS_READ))]


class DeliveryQuery(PageQuery):
    """Filters and page of the list of deliveries."""

    status: DeliveryStatus | None = None


@router.get("/{channel}/deliveries", response_model=Page[Delivery])
async def list_deliveries(channel: UUID, caller: Reader, query: Annotated[DeliveryQuery, Query()]) -> Response:
    """What was told to this channel, newest first, with every attempt."""
    return await caller.ask(ListDeliveries, channel=channel, **query.model_dump())

"""Notification channels: where an organization hears of its alerts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from services.gateway.domain.rate_limits import RouteKind
from shared.messages.alerts import Severity
from shared.messages.base import Page
from shared.messages.channels import (
    Channel,
    ChannelType,
    CreateChannel,
    DeleteChannel,
    GetChannel,
    ListChannels,
    TestChannel,
    UpdateChannel,
)
from shared.messages.deliveries import Delivery
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/notification-channels", tags=["channels"])

Reader = Annotated[Caller, Depends(needs(Permission.CHANNELS_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.CHANNELS_WRITE))]
Sender = Annotated[Caller, Depends(needs(Permission.CHANNELS_WRITE, RouteKind.LONG_WORK))]

_EXAMPLE: dict[str, Any] = {
    "channel_type": "slack",
    "name": "On call",
    "config": {"webhook_url": "https://hooks.slack.com/services/T0/B0/secret"},
}


class CreateChannelBody(BaseModel):
    """slack: `webhook_url`; email: `recipients`; webhook: `url` and `signing_secret` (made when absent)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [_EXAMPLE]},
    )

    channel_type: ChannelType
    name: str = Field(min_length=1, max_length=200)
    config: dict[str, Any] = Field(repr=False, max_length=10)
    minimum_severity: Severity = "info"
    is_enabled: bool = True


class UpdateChannelBody(BaseModel):
    """Only what is given changes; a given `config` replaces the whole of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"minimum_severity": "critical"}]})

    name: str | None = Field(default=None, min_length=1, max_length=200)
    config: dict[str, Any] | None = Field(default=None, repr=False, max_length=10)
    minimum_severity: Severity | None = None
    is_enabled: bool | None = None


class ChannelQuery(PageQuery):
    """Filter and page of the list of channels."""

    channel_type: ChannelType | None = None


@router.get("", response_model=Page[Channel])
async def list_channels(caller: Reader, query: Annotated[ChannelQuery, Query()]) -> Response:
    return await caller.ask(ListChannels, **query.model_dump())


@router.post("", status_code=201, response_model=Channel)
async def create_channel(body: CreateChannelBody, caller: Writer) -> Response:
    """422 `address_refused` for an address that points inside."""
    return await caller.ask(
        CreateChannel, status_code=201, location="/api/notification-channels/{id}", **_payload(body)
    )


@router.get("/{channel}", response_model=Channel)
async def get_channel(channel: UUID, caller: Reader) -> Response:
    return await caller.ask(GetChannel, channel=channel)


@router.put("/{channel}", response_model=Channel)
async def update_channel(channel: UUID, body: UpdateChannelBody, caller: Writer) -> Response:
    return await caller.ask(UpdateChannel, channel=channel, **_payload(body))


@router.delete("/{channel}", status_code=204)
async def delete_channel(channel: UUID, caller: Writer) -> Response:
    return await caller.ask(DeleteChannel, status_code=204, channel=channel)


@router.post("/{channel}/test", status_code=202, response_model=Delivery)
async def send_test(channel: UUID, caller: Sender) -> Response:
    """Queues a test notification; what became of it is in the channel's deliveries."""
    return await caller.ask(TestChannel, status_code=202, channel=channel)


def _payload(body: CreateChannelBody | UpdateChannelBody) -> dict[str, Any]:
    given = body.model_dump(exclude_unset=True)
    if "name" in given:
        given["channel_name"] = given.pop("name")
    return given

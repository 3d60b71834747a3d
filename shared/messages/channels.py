"""Notification channels: where an organization wants to hear of alerts. Owned by monitor."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.alerts import Severity
from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request
from shared.messages.deliveries import Delivery
from shared.messages.providers import Rotation

ChannelType = Literal["slack", "email", "webhook"]


class Channel(Facts):
    """A channel; in `config` secrets (webhook_url, signing_secret) are masked."""

    id: UUID
    organization_id: UUID
    channel_type: str
    name: str
    config: dict[str, Any]
    minimum_severity: str
    is_enabled: bool
    created_at: datetime
    updated_at: datetime
    version: int


class CreateChannel(Mutation, entity="channel", name="create", owner="monitor", reply=Channel, timeout_s=10.0):
    """slack: `webhook_url`; email: `recipients`; webhook: `url`, `signing_secret` (made when absent).

    422 with pointers for a config that does not fit or an address that points inside.
    """

    channel_type: ChannelType
    channel_name: str = Field(min_length=1, max_length=200)
    config: dict[str, Any] = Field(repr=False)
    minimum_severity: Severity = "info"
    is_enabled: bool = True


class UpdateChannel(Mutation, entity="channel", name="update", owner="monitor", reply=Channel, timeout_s=10.0):
    """A given `config` replaces the whole of it."""

    channel: UUID
    channel_name: str | None = Field(default=None, min_length=1, max_length=200)
    config: dict[str, Any] | None = Field(default=None, repr=False)
    minimum_severity: Severity | None = None
    is_enabled: bool | None = None


class DeleteChannel(Mutation, entity="channel", name="delete", owner="monitor", reply=Channel):
    channel: UUID


class GetChannel(Request, entity="channel", name="get", owner="monitor", reply=Channel):
    channel: UUID


class ListChannels(ListRequest, entity="channel", name="list", owner="monitor", reply=Page[Channel]):
    channel_type: ChannelType | None = None


class TestChannel(Mutation, entity="channel", name="test", owner="monitor", reply=Delivery):
    """Queues a test notification; its deliveries list shows what became of it."""

    __test__ = False

    channel: UUID


class RotateChannelSecrets(
    Request,
    entity="channel",
    name="rotate_secrets",
    owner="monitor",
    reply=Rotation,
    askers=("operator",),
    timeout_s=10.0,
):
    """Seal again what is not under the key ring's primary key; ask again while some remain. Organization `system`."""


class ChannelEvent(Event):
    """The aggregate is the channel, its secrets masked."""

    channel: Channel


class ChannelCreated(ChannelEvent, entity="channel", name="created", owner="monitor"):
    pass


class ChannelUpdated(ChannelEvent, entity="channel", name="updated", owner="monitor"):
    pass


class ChannelDeleted(ChannelEvent, entity="channel", name="deleted", owner="monitor"):
    pass

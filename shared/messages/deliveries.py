"""Deliveries: what became of one notification at one channel. Owned by monitor."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.messages.base import Facts, ListRequest, Page

DeliveryStatus = Literal["pending", "sending", "retrying", "sent", "failed"]


class Attempt(Facts):
    """One try; `outcome` is null while it is under way or its process died."""

    attempt: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None
    response_status: int | None = None
    error: str | None = None


class Delivery(Facts):
    """One notification to one channel. `possible_repeat`: a process died while sending, so it may arrive twice."""

    id: UUID
    channel_id: UUID
    alert_id: UUID | None = None
    kind: str
    status: str
    attempt: int
    possible_repeat: bool
    next_attempt_at: datetime | None = None
    last_error: str | None = None
    response_status: int | None = None
    created_at: datetime
    sent_at: datetime | None = None
    attempts: list[Attempt] = []
    version: int


class ListDeliveries(ListRequest, entity="channel", name="deliveries", owner="monitor", reply=Page[Delivery]):
    """Newest first."""

    channel: UUID
    status: DeliveryStatus | None = None

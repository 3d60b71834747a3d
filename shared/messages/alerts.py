"""Alerts: what is wrong now, or was. Owned by monitor."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request

Severity = Literal["info", "warning", "error", "critical", "emergency"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical", "emergency")
"""From the least to the most severe."""

AlertType = Literal[
    "resource_health",
    "cost_threshold",
    "performance_degradation",
    "security_incident",
    "capacity_planning",
    "critical_event",
    "response_time_degradation",
    "error_rate_spike",
    "monitoring_error",
]
AlertStatus = Literal["active", "acknowledged", "suppressed", "resolved", "expired"]


class Alert(Facts):
    """One occurrence: at most one is open per rule and resource. `link` is the path of its page."""

    id: UUID
    organization_id: UUID
    rule_id: UUID | None = None
    alert_name: str
    description: str | None = None
    alert_type: str
    severity_level: str
    resource_id: UUID | None = None
    resource_name: str | None = None
    provider_id: UUID | None = None
    metric: str | None = None
    operator: str | None = None
    current_value: float | None = None
    threshold: float | None = None
    current_values: dict[str, Any] = {}
    status: str
    triggered_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution_notes: str | None = None
    suppressed_until: datetime | None = None
    notification_channels: list[str] = []
    recipient_list: list[str] = []
    link: str
    created_at: datetime
    updated_at: datetime
    version: int


class ListAlerts(ListRequest, entity="alert", name="list", owner="monitor", reply=Page[Alert]):
    """Newest first."""

    status: AlertStatus | None = None
    severity_level: Severity | None = None
    alert_type: AlertType | None = None
    resource_id: UUID | None = None
    rule_id: UUID | None = None


class GetAlert(Request, entity="alert", name="get", owner="monitor", reply=Alert):
    alert: UUID


class AcknowledgeAlert(Mutation, entity="alert", name="acknowledge", owner="monitor", reply=Alert):
    """409 when it is resolved."""

    alert: UUID


class ResolveAlert(Mutation, entity="alert", name="resolve", owner="monitor", reply=Alert):
    """It does not fire again before its condition has cleared."""

    alert: UUID
    resolution_notes: str | None = Field(default=None, max_length=4000)


class SuppressAlert(Mutation, entity="alert", name="suppress", owner="monitor", reply=Alert):
    """Quiet until then; 422 when `until` is not in the future."""

    alert: UUID
    until: datetime


class AlertEvent(Event):
    """The aggregate is the alert; the event holds all of it, so that a notifier needs nothing else."""

    alert: Alert


class AlertFired(AlertEvent, entity="alert", name="fired", owner="monitor"):
    pass


class AlertAcknowledged(AlertEvent, entity="alert", name="acknowledged", owner="monitor"):
    pass


class AlertResolved(AlertEvent, entity="alert", name="resolved", owner="monitor"):
    pass


class AlertSuppressed(AlertEvent, entity="alert", name="suppressed", owner="monitor"):
    pass


class AlertReactivated(AlertEvent, entity="alert", name="reactivated", owner="monitor"):
    """Its suppression ended while the condition still held."""

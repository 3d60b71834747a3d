"""Alerts: rules say when, occurrences say that. Owned by monitor."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

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
Operator = Literal[">", ">=", "<", "<=", "==", "!="]


class Condition(Facts):
    """When a rule is crossed: a metric against a threshold, or a CEL expression over `metrics` and `resource`.

    `for_seconds`: crossed that long before it fires. `clear_threshold`: the value that ends it (default: 5 % back from
    the threshold), for `recover_for_seconds`.
    """

    metric: str | None = Field(default=None, max_length=64)
    operator: Operator = ">"
    threshold: float | None = Field(default=None, allow_inf_nan=False)
    clear_threshold: float | None = Field(default=None, allow_inf_nan=False)
    expression: str | None = Field(default=None, min_length=1, max_length=2048)
    for_seconds: float = Field(default=0, ge=0, le=86_400)
    recover_for_seconds: float = Field(default=0, ge=0, le=86_400)

    @model_validator(mode="after")
    def one_kind(self) -> "Condition":
        by_threshold = self.metric is not None and self.threshold is not None
        if by_threshold == (self.expression is not None) or (self.expression is not None and self.metric is not None):
            raise ValueError("give either metric, operator and threshold, or expression")
        return self


class AlertRule(Facts):
    """A rule of an organization, or one of the built-in ones (`is_builtin`), which can only be switched off and on."""

    id: UUID
    alert_name: str
    description: str | None = None
    alert_type: str
    severity_level: str
    alert_conditions: Condition
    resource_id: UUID | None = None
    provider_id: UUID | None = None
    notification_channels: list[str] = []
    recipient_list: list[str] = []
    auto_remediation: dict[str, Any] = {}
    is_enabled: bool = True
    is_builtin: bool = False
    last_error: str | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class CreateAlertRule(Mutation, entity="alert_rule", name="create", owner="monitor", reply=AlertRule):
    """422 for a metric, an expression, a resource or a channel that does not exist."""

    alert_name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    alert_type: AlertType = "performance_degradation"
    severity_level: Severity = "warning"
    alert_conditions: Condition
    resource_id: UUID | None = None
    provider_id: UUID | None = None
    notification_channels: list[str] = Field(default_factory=list, max_length=50)
    recipient_list: list[str] = Field(default_factory=list, max_length=50)
    auto_remediation: dict[str, Any] = Field(default_factory=dict)
    is_enabled: bool = True


class UpdateAlertRule(Mutation, entity="alert_rule", name="update", owner="monitor", reply=AlertRule):
    """Only what is not null changes; of a built-in rule only `is_enabled` (else 409 `builtin_rule`)."""

    rule: UUID
    alert_name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    alert_type: AlertType | None = None
    severity_level: Severity | None = None
    alert_conditions: Condition | None = None
    resource_id: UUID | None = None
    provider_id: UUID | None = None
    notification_channels: list[str] | None = Field(default=None, max_length=50)
    recipient_list: list[str] | None = Field(default=None, max_length=50)
    auto_remediation: dict[str, Any] | None = None
    is_enabled: bool | None = None


class DeleteAlertRule(Mutation, entity="alert_rule", name="delete", owner="monitor", reply=AlertRule):
    """Its open alerts are resolved. 409 `builtin_rule` for a built-in one."""

    rule: UUID


class GetAlertRule(Request, entity="alert_rule", name="get", owner="monitor", reply=AlertRule):
    rule: UUID


class ListAlertRules(ListRequest, entity="alert_rule", name="list", owner="monitor", reply=Page[AlertRule]):
    """An organization's own rules, newest first; the built-in ones stand before them on the first page."""


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


class AlertRuleEvent(Event):
    """The aggregate is the rule."""

    rule: AlertRule


class AlertRuleCreated(AlertRuleEvent, entity="alert_rule", name="created", owner="monitor"):
    pass


class AlertRuleUpdated(AlertRuleEvent, entity="alert_rule", name="updated", owner="monitor"):
    pass


class AlertRuleDeleted(AlertRuleEvent, entity="alert_rule", name="deleted", owner="monitor"):
    pass

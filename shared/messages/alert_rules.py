"""Alert rules: when something is wrong. Owned by monitor."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from shared.messages.alerts import AlertType, Severity
from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request

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
    """A rule of an organization, or one of the built-in ones (`is_builtin`), which can only be switched off and on.

    A built-in rule was never created; `updated_at` is when it was last switched. Null where that never happened.
    """

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
    created_at: datetime | None = None
    updated_at: datetime | None = None
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


class AlertRuleEvent(Event):
    """The aggregate is the rule."""

    rule: AlertRule


class AlertRuleCreated(AlertRuleEvent, entity="alert_rule", name="created", owner="monitor"):
    pass


class AlertRuleUpdated(AlertRuleEvent, entity="alert_rule", name="updated", owner="monitor"):
    pass


class AlertRuleDeleted(AlertRuleEvent, entity="alert_rule", name="deleted", owner="monitor"):
    pass

"""Alert rules: who looks, and who says when something is wrong?"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.alert_rules import (
    AlertRule,
    CreateAlertRule,
    DeleteAlertRule,
    GetAlertRule,
    ListAlertRules,
    Operator,
    UpdateAlertRule,
)
from shared.messages.alerts import AlertType, Severity
from shared.messages.base import Page
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/monitoring", tags=["alert rules"])

Reader = Annotated[Caller, Depends(needs(Permission.ALERTS_READ))]
Configurer = Annotated[Caller, Depends(needs(Permission.ALERTS_CONFIGURE))]

_RULE: dict[str, Any] = {
    "alert_name": "CPU high",
    "alert_type": "performance_degradation",
    "severity_level": "critical",
    "alert_conditions": {"metric": "cpu_utilization", "operator": ">", "threshold": 80, "for_seconds": 0},
    "notification_channels": ["slack"],
}


class ConditionBody(BaseModel):
    """Either `metric`, `operator` and `threshold`, or `expression` (CEL over `metrics` and `resource`)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_RULE["alert_conditions"]]})

    metric: str | None = Field(default=None, min_length=1, max_length=64)
    operator: Operator = ">"
    threshold: float | None = Field(default=None, allow_inf_nan=False)
    clear_threshold: float | None = Field(default=None, allow_inf_nan=False)
    expression: str | None = Field(default=None, min_length=1, max_length=2048)
    for_seconds: float = Field(default=0, ge=0, le=86_400)
    recover_for_seconds: float = Field(default=0, ge=0, le=86_400)


class CreateRuleBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_RULE]})

    alert_name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    alert_type: AlertType = "performance_degradation"
    severity_level: Severity = "warning"
    alert_conditions: ConditionBody
    resource_id: UUID | None = None
    provider_id: UUID | None = None
    notification_channels: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=50)
    recipient_list: list[Annotated[str, Field(max_length=254)]] = Field(default_factory=list, max_length=50)
    auto_remediation: dict[str, Any] = Field(default_factory=dict)
    is_enabled: bool = True


class UpdateRuleBody(BaseModel):
    """Only what is given changes; of a built-in rule only `is_enabled` can be given."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"is_enabled": False}]})

    alert_name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    alert_type: AlertType | None = None
    severity_level: Severity | None = None
    alert_conditions: ConditionBody | None = None
    resource_id: UUID | None = None
    provider_id: UUID | None = None
    notification_channels: list[Annotated[str, Field(max_length=64)]] | None = Field(default=None, max_length=50)
    recipient_list: list[Annotated[str, Field(max_length=254)]] | None = Field(default=None, max_length=50)
    auto_remediation: dict[str, Any] | None = None
    is_enabled: bool | None = None


@router.get("/alert-rules", response_model=Page[AlertRule])
async def list_alert_rules(caller: Reader, query: Annotated[PageQuery, Query()]) -> Response:
    """Built-in rules first, then the organization's own, newest first."""
    return await caller.ask(ListAlertRules, **query.model_dump())


@router.post("/alert-rules", status_code=201, response_model=AlertRule)
@router.post("/alerts", status_code=201, response_model=AlertRule, operation_id="create_alert_rule_alias")
async def create_alert_rule(body: CreateRuleBody, caller: Configurer) -> Response:
    """`POST /alerts` is an older name of the same."""
    location = "/api/cloud/monitoring/alert-rules/{id}"
    return await caller.ask(CreateAlertRule, status_code=201, location=location, **_payload(body))


@router.get("/alert-rules/{rule}", response_model=AlertRule)
async def get_alert_rule(rule: UUID, caller: Reader) -> Response:
    return await caller.ask(GetAlertRule, rule=rule)


@router.put("/alert-rules/{rule}", response_model=AlertRule)
async def update_alert_rule(rule: UUID, body: UpdateRuleBody, caller: Configurer) -> Response:
    return await caller.ask(UpdateAlertRule, rule=rule, **_payload(body))


@router.delete("/alert-rules/{rule}", status_code=204)
async def delete_alert_rule(rule: UUID, caller: Configurer) -> Response:
    return await caller.ask(DeleteAlertRule, status_code=204, rule=rule)


def _payload(body: CreateRuleBody | UpdateRuleBody) -> dict[str, Any]:
    """Only what the client gave; the condition as the message's own model, whose fault becomes a pointer."""
    given = body.model_dump(exclude_unset=True)
    if given.get("alert_conditions") is not None:
        given["alert_conditions"] = body.alert_conditions.model_dump() if body.alert_conditions else None
    return given

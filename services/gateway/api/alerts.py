"""Alerts: who looks, who acknowledges, resolves and suppresses?"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.alerts import (
    AcknowledgeAlert,
    Alert,
    AlertStatus,
    AlertType,
    GetAlert,
    ListAlerts,
    ResolveAlert,
    Severity,
    SuppressAlert,
)
from shared.messages.base import Page
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/monitoring", tags=["alerts"])

Reader = Annotated[Caller, Depends(needs(Permission.ALERTS_READ))]
Responder = Annotated[Caller, Depends(needs(Permission.ALERTS_ACKNOWLEDGE))]


class AlertQuery(PageQuery):
    """Filters and page of the list of alerts."""

    status: AlertStatus | None = None
    severity_level: Severity | None = None
    alert_type: AlertType | None = None
    resource_id: UUID | None = None
    rule_id: UUID | None = None


class ResolveBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"resolution_notes": "restarted the worker"}]}
    )

    resolution_notes: str | None = Field(default=None, max_length=4000)


class SuppressBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"until": "2030-01-01T06:00:00Z"}]})

    until: AwareDatetime


@router.get("/alerts", response_model=Page[Alert])
async def list_alerts(caller: Reader, query: Annotated[AlertQuery, Query()]) -> Response:
    """Occurrences, newest first."""
    return await caller.ask(ListAlerts, **query.model_dump())


@router.get("/alerts/{alert}", response_model=Alert)
async def get_alert(alert: UUID, caller: Reader) -> Response:
    return await caller.ask(GetAlert, alert=alert)


@router.post("/alerts/{alert}/ack", response_model=Alert)
async def acknowledge_alert(alert: UUID, caller: Responder) -> Response:
    return await caller.ask(AcknowledgeAlert, alert=alert)


@router.post("/alerts/{alert}/resolve", response_model=Alert)
async def resolve_alert(alert: UUID, caller: Responder, body: ResolveBody | None = None) -> Response:
    """It does not fire again before its condition has cleared."""
    notes = body.resolution_notes if body else None
    return await caller.ask(ResolveAlert, alert=alert, resolution_notes=notes)


@router.post("/alerts/{alert}/suppress", response_model=Alert)
async def suppress_alert(alert: UUID, body: SuppressBody, caller: Responder) -> Response:
    until: datetime = body.until
    return await caller.ask(SuppressAlert, alert=alert, until=until)

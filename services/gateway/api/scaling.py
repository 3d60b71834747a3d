"""How does a resource get another size, and which sizes has it had? Answered by the provisioner."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.pages import PageQuery
from services.gateway.api.resources import ADDRESS, Operator, Reader, checked_force
from shared.messages.base import Page
from shared.messages.resources import AcceptedResource
from shared.messages.scaling import ListScalings, ScaleResource, Scaling, ScalingAction, ScalingTrigger
from shared.messages.texts import Line, Prose

router = APIRouter(prefix="/api/cloud/resources", tags=["resources"])

_EXAMPLE: dict[str, Any] = {"action": "scale_up", "reason": "the party grows"}


class ScaleBody(BaseModel):
    """Without `instance_type` the next larger or smaller size of the family is taken from the provider's catalogue."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    action: ScalingAction
    instance_type: Line | None = Field(default=None, min_length=1, max_length=64)
    reason: Prose | None = Field(default=None, max_length=1000)
    trigger: ScalingTrigger = "manual"
    force: bool = False


class ScalingQuery(PageQuery):
    """`sort` is `started_at`, the newest first by default."""


@router.post("/{resource}/scale", status_code=202, response_model=AcceptedResource)
async def scale_resource(resource: UUID, body: ScaleBody, caller: Operator) -> Response:
    """What runs is stopped for it and runs again afterwards; when the new size cannot be had, at the old one."""
    fields = {**body.model_dump(), "force": checked_force(caller, force=body.force)}
    return await caller.begin(ScaleResource, location=ADDRESS, resource=resource, **fields)


@router.get("/{resource}/scaling-history", response_model=Page[Scaling])
async def list_scalings(resource: UUID, caller: Reader, query: Annotated[ScalingQuery, Query()]) -> Response:
    """Every change of size that was accepted, also what is at work (`success` null) and what failed."""
    return await caller.ask(ListScalings, resource=resource, **query.model_dump())

"""How does a resource get another size, or become several? And which sizes has it had? Answered by the provisioner."""

from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.pages import PageQuery
from services.gateway.api.resources import ADDRESS, Operator, Reader, checked_force
from shared.kit.errors import FieldError, InvalidInput
from shared.messages.base import Page
from shared.messages.groups import COUNT_MAX, AcceptedGroup, GroupAction, ScaleGroup
from shared.messages.resources import AcceptedResource
from shared.messages.scaling import ListScalings, ScaleResource, Scaling, ScalingAction, ScalingTrigger
from shared.messages.texts import Line, Prose
from shared.security.permissions import Permission

GROUP_ACTIONS = frozenset(get_args(GroupAction))

router = APIRouter(prefix="/api/cloud/resources", tags=["resources"])

_EXAMPLE: dict[str, Any] = {"action": "scale_up", "reason": "the party grows"}
_EXAMPLE_OUT: dict[str, Any] = {"action": "scale_out", "count": 2, "reason": "more guests"}


class ScaleBody(BaseModel):
    """Another size, or another number: `scale_out` makes `count` (default 1) copies more, `scale_in` removes so many.

    Without `instance_type` the next larger or smaller size of the family is taken from the provider's catalogue.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE, _EXAMPLE_OUT]})

    action: ScalingAction | GroupAction
    count: int | None = Field(default=None, ge=1, le=COUNT_MAX)
    instance_type: Line | None = Field(default=None, min_length=1, max_length=64)
    reason: Prose | None = Field(default=None, max_length=1000)
    trigger: ScalingTrigger = "manual"
    force: bool = False


class ScalingQuery(PageQuery):
    """`sort` is `started_at`, the newest first by default."""


@router.post("/{resource}/scale", status_code=202, response_model=AcceptedResource | AcceptedGroup)
async def scale_resource(resource: UUID, body: ScaleBody, caller: Operator) -> Response:
    """Another size: what runs is stopped for it and runs again afterwards; when the size cannot be had, at the old one.

    Another number: the copies of a resource are its group (`group_id`), called as it is with a number. `scale_in`
    removes the newest first, and the original last and by `force` only. As copies are provisioned and terminated, both
    need the permission to do so.
    """
    fields = {**body.model_dump(), "force": checked_force(caller, force=body.force)}
    if body.action in GROUP_ACTIONS:
        caller.require(Permission.RESOURCES_WRITE)
        _refuse(body.instance_type, "/instance_type", f"{body.action} keeps the size")
        fields |= {"count": body.count or 1}
        del fields["instance_type"]
        return await caller.begin(ScaleGroup, location=ADDRESS, resource=resource, **fields)
    _refuse(body.count, "/count", f"{body.action} keeps the number")
    del fields["count"]
    return await caller.begin(ScaleResource, location=ADDRESS, resource=resource, **fields)


def _refuse(value: object | None, pointer: str, detail: str) -> None:
    """Raise InvalidInput for a field that has no meaning with this action."""
    if value is not None:
        raise InvalidInput(detail, errors=[FieldError(pointer, detail)])


@router.get("/{resource}/scaling-history", response_model=Page[Scaling])
async def list_scalings(resource: UUID, caller: Reader, query: Annotated[ScalingQuery, Query()]) -> Response:
    """Every change of size that was accepted, also what is at work (`success` null) and what failed."""
    return await caller.ask(ListScalings, resource=resource, **query.model_dump())

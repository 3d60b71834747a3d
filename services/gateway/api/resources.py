"""What runs at the clouds, and how is it changed? Answered by the provisioner; changes of state are long work (202)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.base import Page
from shared.messages.resources import (
    AcceptedResource,
    CreateResource,
    DeleteResource,
    Environment,
    GetResource,
    HealthStatus,
    ListResources,
    Origin,
    Resource,
    ResourceStatus,
    ResourceType,
    StartResource,
    StopResource,
    UpdateResource,
)
from shared.messages.scaling import CompareResource, ConfiguredResource, ConfigureResource, ResourceChanges
from shared.messages.texts import Line, Prose
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["resources"])

Reader = Annotated[Caller, Depends(needs(Permission.RESOURCES_READ))]
Operator = Annotated[Caller, Depends(needs(Permission.RESOURCES_OPERATE))]
Writer = Annotated[Caller, Depends(needs(Permission.RESOURCES_WRITE))]

ADDRESS = "/api/cloud/resources/{id}"
TAGS_MAX = 40
_EXAMPLE: dict[str, Any] = {
    "provider_id": "01980000-0000-7000-8000-000000000001",
    "region": "us-east-1",
    "resource_name": "web-1",
    "resource_type": "compute",
    "resource_subtype": "ec2_instance",
    "configuration": {"instance_type": "t3.micro"},
    "environment": "production",
    "tags": {"team": "photos"},
}


class CreateResourceBody(BaseModel):
    """What to provision; `project` left out: the organization's slug."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    provider_id: UUID
    region: Line = Field(min_length=1, max_length=64)
    resource_name: Line = Field(min_length=1, max_length=200)
    resource_type: ResourceType
    resource_subtype: Line = Field(min_length=1, max_length=64)
    configuration: dict[str, Any] = Field(default_factory=dict)
    environment: Environment = "development"
    project: Line | None = Field(default=None, min_length=1, max_length=100)
    tags: dict[Line, Line] = Field(default_factory=dict, max_length=TAGS_MAX)
    is_wedding_critical: bool = False


class UpdateResourceBody(BaseModel):
    """Only the fields that are given (and not null) change; `tags` replace all earlier ones."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"project": "party", "tags": {"team": "music"}}]}
    )

    resource_name: Line | None = Field(default=None, min_length=1, max_length=200)
    environment: Environment | None = None
    project: Line | None = Field(default=None, min_length=1, max_length=100)
    tags: dict[Line, Line] | None = Field(default=None, max_length=TAGS_MAX)
    is_wedding_critical: bool | None = None


class DesiredResourceBody(UpdateResourceBody):
    """`configuration`: its fields that are given are to become so, the others stay; null is the provider's default.

    `reason` goes into the history of a change of size; `force` is needed for a critical resource that has to stop.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"project": "party", "tags": {"team": "music"}},
                {"configuration": {"instance_type": "t3.small"}, "reason": "the party grows"},
            ]
        },
    )

    configuration: dict[Line, Any] | None = Field(default=None, max_length=100)
    reason: Prose | None = Field(default=None, max_length=1000)
    force: bool = False


class ForceBody(BaseModel):
    """`force` is needed for a critical resource or one that others stand on, and a manager or above."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"force": False}]})

    force: bool = False


class ResourceQuery(PageQuery):
    """Filters are equalities; `sort` is `created_at` or `resource_name`."""

    provider_id: UUID | None = None
    provider: Line | None = Field(default=None, max_length=32, description="a provider's name, or all")
    region: Line | None = Field(default=None, max_length=64)
    resource_type: ResourceType | None = None
    resource_subtype: Line | None = Field(default=None, max_length=64)
    resource_status: ResourceStatus | None = None
    health_status: HealthStatus | None = None
    environment: Environment | None = None
    project: Line | None = Field(default=None, max_length=100)
    origin: Origin | None = None
    group: UUID | None = Field(default=None, description="the original's id: it and its copies")
    tag: Line | None = Field(default=None, max_length=400, description="key or key=value")
    q: Line | None = Field(default=None, max_length=200, description="beginning of the name")


@router.post("/resources", status_code=202, response_model=AcceptedResource)
async def create_resource(body: CreateResourceBody, caller: Writer) -> Response:
    return await caller.begin(CreateResource, location=ADDRESS, **ordered(body, caller))


def ordered(body: CreateResourceBody, caller: Caller) -> dict[str, Any]:
    """The order of a body, in the project that it names or else the organization's own."""
    return {**body.model_dump(), "project": body.project or caller.principal.organization_slug}


@router.get("/resources", response_model=Page[Resource])
async def list_resources(caller: Reader, query: Annotated[ResourceQuery, Query()]) -> Response:
    """The newest first unless `sort` says otherwise."""
    return await caller.ask(ListResources, **query.model_dump())


@router.get("/resources/{resource}", response_model=Resource)
async def get_resource(resource: UUID, caller: Reader) -> Response:
    return await caller.ask(GetResource, resource=resource)


@router.put(
    "/resources/{resource}",
    response_model=Resource | ConfiguredResource | ResourceChanges,
    responses={202: {"model": ConfiguredResource, "description": "The rest needs a stop and has begun"}},
)
async def update_resource(
    resource: UUID,
    body: DesiredResourceBody,
    caller: Writer,
    dry_run: Annotated[bool, Query(description="change nothing, tell what would change and how")] = False,  # noqa: FBT002
) -> Response:
    """The desired state. Without `configuration` the answer is the changed resource; the machine's own tags follow.

    With it the answer lists what has changed at once (`in_place`) and what needs a stop (`needs_stop`): then it is 202
    with the operation, the same one that `scale` begins. What an existing resource cannot change (`replace`) is
    422 `needs_replacement` naming each field, and nothing changes. `dry_run=true` answers with the three lists only.
    """
    fields = body.model_dump(include=set(UpdateResourceBody.model_fields))
    if dry_run:
        return await caller.ask(CompareResource, resource=resource, configuration=body.configuration or {}, **fields)
    if body.configuration is None:
        return await caller.ask(UpdateResource, resource=resource, **fields)
    return await caller.begin(
        ConfigureResource, location=ADDRESS, resource=resource, configuration=body.configuration, reason=body.reason,
        force=checked_force(caller, force=body.force), **fields,
    )  # fmt: skip


@router.post("/resources/{resource}/start", status_code=202, response_model=AcceptedResource)
async def start_resource(resource: UUID, caller: Operator) -> Response:
    return await caller.begin(StartResource, location=ADDRESS, resource=resource)


@router.post("/resources/{resource}/stop", status_code=202, response_model=AcceptedResource)
async def stop_resource(resource: UUID, caller: Operator, body: ForceBody | None = None) -> Response:
    force = checked_force(caller, force=body is not None and body.force)
    return await caller.begin(StopResource, location=ADDRESS, resource=resource, force=force)


@router.delete("/resources/{resource}", status_code=202, response_model=AcceptedResource)
async def delete_resource(resource: UUID, caller: Writer, *, force: bool = False) -> Response:
    """Terminates it at the cloud; what is gone already is success. 409 `has_dependents` names who stands on it."""
    return await caller.begin(
        DeleteResource, location=ADDRESS, resource=resource, force=checked_force(caller, force=force)
    )


def checked_force(caller: Caller, *, force: bool) -> bool:
    """`force`, which is for managers and above. Raises PermissionDenied."""
    if force:
        caller.require(Permission.RESOURCES_FORCE)
    return force

"""What does a resource stand on, and what is hit when it is lost? Answered by the provisioner."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.dependencies import DEPTH_MAX, DependencyGraph, Direction, GetDependencies
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["dependencies"])

Reader = Annotated[Caller, Depends(needs(Permission.RESOURCES_READ))]


@router.get("/resources/{resource}/dependencies", response_model=DependencyGraph)
async def get_dependencies(
    resource: UUID,
    caller: Reader,
    direction: Annotated[Direction, Query(description="what it stands on, what stands on it, or both")] = "both",
    depth: Annotated[int, Query(ge=1, le=DEPTH_MAX)] = 3,
) -> Response:
    """As the last reads of the account saw it, with the blast radius within `depth` steps."""
    return await caller.ask(GetDependencies, resource=resource, direction=direction, depth=depth)

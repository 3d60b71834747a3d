"""Which offers fit a machine whose place is left open? Answered by the provisioner; nothing is made."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.placement import Constraints, FindOffers, Offers
from shared.messages.texts import Line
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/placement", tags=["resources"])

Reader = Annotated[Caller, Depends(needs(Permission.RESOURCES_READ))]

_EXAMPLE: dict[str, Any] = {"constraints": {"min_vcpu": 2, "min_memory_gib": 4, "providers": ["linode", "vultr"]}}


class ConstraintsBody(Constraints):
    """What a machine must have, and where and at which price; what is not given excludes nothing.

    Unless `architecture` or the type's name says otherwise, it is x86_64. With `max_price_usd_per_hour` an offer whose
    price is not known does not fit; without it such an offer comes last. `spot_allowed` also offers spot machines, each
    at its own price: a provider may take such a machine back at any time.
    """

    model_config = ConfigDict(extra="forbid")


class OffersBody(BaseModel):
    """As the body that creates a resource, without what does not matter for its place."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    provider_id: UUID | None = None
    region: Line | None = Field(default=None, min_length=1, max_length=64)
    resource_subtype: Line | None = Field(default=None, min_length=1, max_length=64)
    configuration: dict[Line, Any] = Field(default_factory=dict, max_length=100)
    constraints: ConstraintsBody = ConstraintsBody()


@router.post("/offers", response_model=Offers)
async def find_offers(
    body: OffersBody, caller: Annotated[Caller, Depends(needs(Permission.RESOURCES_READ))]
) -> Response:
    """The offers in the order in which creating a resource would try them. 422 `no_offer` when none fits."""
    return await caller.ask(FindOffers, **body.model_dump())

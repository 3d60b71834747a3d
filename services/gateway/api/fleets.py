"""How are many resources provisioned with one request? Answered by the provisioner."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.resources import CreateResourceBody, Writer, ordered
from shared.messages.fleets import ITEMS_MAX, AcceptedFleet, FleetPolicy, ProvisionFleet

router = APIRouter(prefix="/api/cloud/resources", tags=["fleets"])

_ITEM: dict[str, Any] = {
    "provider_id": "01980000-0000-7000-8000-000000000001",
    "region": "us-east-1",
    "resource_type": "compute",
    "resource_subtype": "ec2_instance",
    "configuration": {"instance_type": "t3.micro"},
}
_EXAMPLE: dict[str, Any] = {
    "policy": "all_or_nothing",
    "items": [{**_ITEM, "resource_name": "web-1"}, {**_ITEM, "resource_name": "web-2", "region": "us-west-2"}],
}


class BulkProvisionBody(BaseModel):
    """Each item as in a request for one. `policy` says what one that a cloud refuses means for the others."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    items: list[CreateResourceBody] = Field(min_length=1, max_length=ITEMS_MAX)
    policy: FleetPolicy = "best_effort"


@router.post("/bulk-provision", status_code=202, response_model=AcceptedFleet)
async def bulk_provision(body: BulkProvisionBody, caller: Writer) -> Response:
    """All items are accepted, or none: what is wrong with any is 422 with a pointer below `/items/<index>`.

    The operation counts the items, and its `result` tells of each: its resource, its status (`placed`, `failed`,
    `removed`, `not_removed`) and its error, also when the operation failed. `best_effort` keeps what could be had;
    `all_or_nothing` fails with the first item that cannot be had (`rolled_back`) and terminates what was made.
    """
    items = [ordered(item, caller) for item in body.items]
    return await caller.begin(ProvisionFleet, items=items, policy=body.policy)

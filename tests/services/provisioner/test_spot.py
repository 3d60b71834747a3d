"""A spot machine of EC2: offered at its own price, had or not, seen for what it is, and not asked what it cannot."""

import asyncio
from typing import Any

import pytest

from shared.clouds.models import CapacityType
from shared.kit.errors import Conflict
from shared.messages.placement import FindOffers
from shared.messages.resources import CreateResource, Resource, StopResource
from shared.messages.scaling import ConfigureResource, ScaleResource
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant
from tests.services.provisioner.test_syncs import SETTLE, Cloud, find, sync

pytestmark = pytest.mark.anyio

REGION = "eu-central-1"
TYPE, SPOT_USD, USD = "t3.micro", 0.00372, 0.012


async def placed(tenant: Tenant, **fields: Any) -> Resource:
    """The row once the machine runs."""
    values = {"resource_name": "batch", "resource_type": "compute", "environment": "development", "project": "photos"}
    accepted = await tenant.services.ask(CreateResource(**tenant.envelope(), **values, **fields))
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    return await tenant.get(accepted.resource.id)


async def test_a_spot_machine_is_placed_by_its_price_and_lives_as_one(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(**SETTLE)
    cloud, provider = Cloud(tenant, REGION), await tenant.add_provider(regions=[REGION])
    named, spot_too = {"instance_type": TYPE}, {"spot_allowed": True}

    async def offered(**fields: Any) -> list[tuple[str, float | None]]:
        found = await services.ask(FindOffers(**tenant.question(), **{"configuration": named, **fields}))
        return [(each.capacity_type, each.usd_per_hour) for each in found.offers]

    assert await offered() == [("on_demand", USD)]
    assert await offered(constraints=spot_too) == [("spot", SPOT_USD), ("on_demand", USD)]
    assert await offered(constraints={**spot_too, "max_price_usd_per_hour": SPOT_USD}) == [("spot", SPOT_USD)]
    assert await offered(configuration={**named, "capacity_type": "spot"}) == [("spot", SPOT_USD)]

    for code in ("InsufficientInstanceCapacity", "MaxSpotInstanceCountExceeded"):
        tenant.aws.fault(match={"action": "RunInstances", "region": REGION}, status=400, code=code, count=1)
        zoned = {**named, "availability_zone": f"{REGION}a"}
        usual = await placed(tenant, configuration=zoned, constraints=spot_too)
        assert usual.configuration["capacity_type"] == "on_demand", code
        assert usual.placement is not None
        assert [(each["offer"]["capacity_type"], each["code"]) for each in usual.placement["tried"]] == [("spot", code)]

    spot = await placed(tenant, configuration=named, constraints=spot_too)
    assert spot.configuration["capacity_type"] == "spot"
    assert spot.placement is not None
    assert (spot.placement["offer"]["capacity_type"], spot.placement["offer"]["usd_per_hour"]) == ("spot", SPOT_USD)
    calls = tenant.aws.calls()
    for refused in (
        StopResource(**tenant.envelope(), resource=spot.id),
        ScaleResource(**tenant.envelope(), resource=spot.id, action="scale_up"),
        ConfigureResource(**tenant.envelope(), resource=spot.id, configuration={"instance_type": "t3.small"}),
    ):
        with pytest.raises(Conflict) as caught:
            await services.ask(refused)
        assert caught.value.code == "spot_not_stoppable", refused
    for action in ("StopInstances", "ModifyInstanceAttribute"):
        assert tenant.aws.calls().get((REGION, action)) == calls.get((REGION, action))
    assert (await tenant.get(spot.id)).version == spot.version

    theirs = await cloud.machine(capacity_type=CapacityType.SPOT)
    await cloud.cloud.machines.terminate(REGION, str(spot.resource_id))  # as EC2 does when it needs the capacity
    await asyncio.to_thread(tenant.aws.advance)
    await sync(tenant, provider)
    await cloud.cloud.close()
    assert (await find(tenant, provider, theirs)).configuration["capacity_type"] == "spot"
    interrupted = await tenant.get(spot.id)
    assert (interrupted.resource_status, interrupted.configuration) == ("terminated", spot.configuration)
    assert interrupted.status_reason

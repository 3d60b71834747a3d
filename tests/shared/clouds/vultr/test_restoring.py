"""Is a network of Vultr a wall only without a gateway, and an instance inside only without a public address?"""

import pytest

from shared.clouds.capabilities import machines_of, networks_of
from shared.clouds.errors import StillWorking
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio


async def test_a_network_with_a_gateway_is_no_wall(account):
    networks, token = networks_of(account.cloud), new_token()
    wall = await networks.create_isolated_group(account.region, token=token, tags={}, description="drill")
    account.post(f"/v2/vpcs/{wall.network_id}/nat-gateway", {})
    with pytest.raises(StillWorking):
        await networks.create_isolated_group(account.region, token=token, tags={}, description="drill")
    found = await networks.find_by_token(account.region, token)
    assert found is not None
    assert (found.ingress_rules, found.egress_rules) == (1, 1)


async def test_an_instance_with_a_public_address_is_in_no_wall(account):
    networks, machines = networks_of(account.cloud), machines_of(account.cloud)
    wall = await networks.create_isolated_group(account.region, token=new_token(), tags={}, description="drill")
    spec = MachineSpec(new_token(), account.instance_type, security_groups=(wall.id,))
    inside = await machines.create(account.region, spec)
    body = {"region": account.region, "plan": account.instance_type, "os_id": 2284, "attach_vpc": [wall.network_id]}
    outside = account.post("/v2/instances", body)["instance"]["id"]
    account.settle()
    assert await networks.of_machine(account.region, inside.id) == (wall.id,)
    assert await networks.of_machine(account.region, outside) == ()
    assert (await machines.get(account.region, inside.id)).public_ip is None

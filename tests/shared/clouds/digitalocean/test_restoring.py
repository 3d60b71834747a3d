"""Is a firewall of DigitalOcean a wall only when it opens to nobody, and is a droplet inside from its creation?"""

import pytest

from shared.clouds.capabilities import machines_of, networks_of
from shared.clouds.digitalocean.walls import wall_name
from shared.clouds.errors import InvalidRequest, StillWorking
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

SSH = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["0.0.0.0/0"]}}


async def test_a_firewall_that_somebody_opened_is_no_wall(account):
    token = new_token()
    name = wall_name(account.region, token)
    account.post("/v2/tags", {"name": name})
    account.post("/v2/firewalls", {"name": name, "inbound_rules": [SSH], "tags": [name]})
    networks = networks_of(account.cloud)
    with pytest.raises(StillWorking):
        await networks.create_isolated_group(account.region, token=token, tags={}, description="drill")
    found = await networks.find_by_token(account.region, token)
    assert found is not None
    assert (found.ingress_rules, found.egress_rules) == (1, 0)


async def test_a_firewall_of_somebody_else_around_the_droplet_is_seen(account):
    """DigitalOcean adds up the rules of all firewalls of a droplet."""
    networks, machines = networks_of(account.cloud), machines_of(account.cloud)
    wall = await networks.create_isolated_group(account.region, token=new_token(), tags={}, description="drill")
    spec = MachineSpec(new_token(), account.instance_type, {"Name": "drill"}, security_groups=(wall.id,))
    made = await machines.create(account.region, spec)
    assert made.tags == {"Name": "drill", "canopy:token": spec.token}
    assert await networks.of_machine(account.region, made.id) == (wall.id,)
    body = {"name": f"open-{made.id}", "inbound_rules": [SSH], "droplet_ids": [int(made.id)]}
    other = account.post("/v2/firewalls", body)["firewall"]["id"]
    assert set(await networks.of_machine(account.region, made.id)) == {wall.id, other}


async def test_a_droplet_is_made_in_no_firewall_that_has_no_tag_for_it(account):
    other = account.post("/v2/firewalls", {"name": f"plain-{new_token()[5:]}", "inbound_rules": [SSH]})["firewall"][
        "id"
    ]
    for group in (other, "no-such-firewall"):
        spec = MachineSpec(new_token(), account.instance_type, security_groups=(group,))
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == "security_groups"
        assert not account.machines_with(spec.token)

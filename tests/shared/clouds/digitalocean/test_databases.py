"""What is DigitalOcean's own about database clusters: who may reach them, what never becomes less, whose password?"""

import pytest

from shared.clouds.assets import AssetLink, AssetState
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import InvalidRequest, StillWorking
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "nyc3"


async def test_a_cluster_is_open_to_nobody_until_somebody_is_trusted(account, cloud, spec):
    databases = cloud.databases
    made = await databases.create(REGION, spec(databases))
    assert (made.state, made.facts["open_to_everybody"]) == (AssetState.CREATING, False)
    assert [each["value"] for each in await databases._firewall(REGION, made.id)] == ["192.0.2.1"]
    droplet = await machines_of(cloud).create(REGION, MachineSpec(new_token(), account.instance_type))
    wanted = {**made.configuration, "trusted_machines": [droplet.id]}
    await databases.change(REGION, made.id, wanted)
    assert [each["value"] for each in await databases._firewall(REGION, made.id)] == [droplet.id]
    with pytest.raises(StillWorking):
        await databases.change(REGION, made.id, {**wanted, "nodes": 2})
    account.settle()
    online = await databases.get(REGION, made.id)
    assert (online.state, online.address) == (AssetState.RUNNING, made.address)
    network = (await machines_of(cloud).get(REGION, droplet.id)).network_id
    assert online.links == (AssetLink("network", f"network:{network}", hard=True),)
    document = await databases.document(REGION, made.id)
    assert document["connection"]["password"] not in repr(online)


async def test_what_somebody_else_trusts_stays(account, cloud):
    databases = cloud.databases
    body = {"name": "theirs", "engine": "pg", "region": REGION, "size": "db-s-1vcpu-1gb", "num_nodes": 1}
    theirs = account.post("/v2/databases", body)["database"]["id"]
    shown = await databases.get(REGION, theirs)
    assert (shown.tags, shown.facts["open_to_everybody"]) == ({}, True)
    rules = {"rules": [{"type": "tag", "value": "web"}]}
    await databases.ask("update_firewall", "PUT", REGION, f"{theirs}/firewall", body=rules)
    await databases.change(REGION, theirs, {**shown.configuration, "trusted_addresses": ["203.0.113.9"]})
    changed = await databases.get(REGION, theirs)
    assert changed.configuration["trusted_addresses"] == ["203.0.113.9"]
    assert changed.facts["other_trusted_sources"] == ["tag web"]


async def test_what_a_cluster_cannot_be_is_named_as_its_configuration_does(account, cloud, spec):
    databases, unknown = cloud.databases, "5a4981aa-9653-4bd1-bef5-d6bff52042e4"
    for field, given in (("network_id", {"network_id": unknown}), ("instance_type", {"instance_type": "db-s-none"}),
                         ("trusted_machines", {"trusted_machines": ["3164444"]})):  # fmt: skip
        with pytest.raises(InvalidRequest) as caught:
            await databases.create(REGION, spec(databases, **given))
        assert caught.value.field == field
    with pytest.raises(InvalidRequest) as caught:
        spec(databases, trusted_addresses=["0.0.0.0/0"])
    assert caught.value.field == "trusted_addresses"
    made = await databases.create(REGION, spec(databases, instance_type="db-s-2vcpu-4gb"))
    account.settle()
    for field, change in (("instance_type", {"instance_type": "db-s-1vcpu-1gb"}), ("storage_gib", {"storage_gib": 20})):
        with pytest.raises(InvalidRequest) as caught:
            await databases.change(REGION, made.id, {**made.configuration, **change})
        assert caught.value.field == field

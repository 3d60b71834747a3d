"""What is DigitalOcean's own about VPCs: a default one in each region, tags in a description, ranges that never meet?"""

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import Conflict, InvalidRequest, Unsupported
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "nyc3"


async def test_a_vpc_stays_while_a_droplet_is_in_it_and_the_default_one_for_good(account, cloud, spec):
    vpcs, machines = cloud.private_networks, machines_of(cloud)
    vpc = await vpcs.create(REGION, spec(vpcs))
    inside = await machines.create(REGION, MachineSpec(new_token(), account.instance_type, subnet_id=vpc.id))
    account.settle()
    assert (await machines.get(REGION, inside.id)).network_id == vpc.id
    with pytest.raises(Conflict):
        await vpcs.delete(REGION, vpc.id)
    await machines.terminate(REGION, inside.id)
    await vpcs.delete(REGION, vpc.id)
    elsewhere = await machines.create(REGION, MachineSpec(new_token(), account.instance_type))
    default = await vpcs.get(REGION, elsewhere.network_id)
    assert (default.name, default.facts["default"], default.tags) == (f"default-{REGION}", True, {})
    with pytest.raises(Conflict):
        await vpcs.delete(REGION, default.id)


async def test_a_name_or_a_range_that_is_taken_is_refused(cloud, spec):
    vpcs = cloud.private_networks
    await vpcs.create(REGION, spec(vpcs, name="nave", ip_range="192.168.0.0/20"))
    with pytest.raises(Conflict):
        await vpcs.create(REGION, spec(vpcs, name="nave"))
    for ip_range in ("192.168.4.0/24", "192.0.2.0/24", "10.0.0.0/8", "10.0.0.1/24"):
        with pytest.raises(InvalidRequest) as caught:
            await vpcs.create(REGION, spec(vpcs, ip_range=ip_range))
        assert caught.value.field == "ip_range", ip_range


async def test_a_description_holds_tags_as_far_as_they_go_and_anothers_words_stay(account, cloud, spec):
    vpcs = cloud.private_networks
    with pytest.raises(InvalidRequest) as caught:
        await vpcs.create(REGION, spec(vpcs, tags={"Name": "x" * 200}))
    assert caught.value.field == "tags"
    body = {"name": "their-vpc", "region": REGION, "description": "the photographers'"}
    theirs = await vpcs.get(REGION, account.post("/v2/vpcs", body)["vpc"]["id"])
    assert (theirs.tags, theirs.facts["description"]) == ({}, "the photographers'")
    with pytest.raises(Unsupported):
        await vpcs.tag(REGION, theirs.id, {"team": "photos"})

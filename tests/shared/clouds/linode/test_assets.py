"""What only Linode's assets do: where a machine is, what keeps a thing, whose text stays, what is completed."""

import pytest

from shared.clouds.assets import AssetSpec
from shared.clouds.errors import Conflict, InvalidRequest, NotFound
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "ap-west"  # no other test makes anything here


@pytest.fixture
def spec(account):
    def spec_of(assets, token="", **configuration):
        kind = (assets.resource_type, assets.resource_subtype)
        return AssetSpec(token or new_token(), account.catalog.configuration(*kind, configuration))

    return spec_of


async def machine(account, cloud, **more):
    made = await cloud.machines.create(REGION, MachineSpec(new_token(), account.instance_type, **more))
    account.settle()
    return made


async def test_a_machine_says_in_which_vpc_it_is_and_keeps_its_subnet(account, cloud, spec):
    parts = [{"name": "aisle", "ip_range": "10.7.0.0/24"}, {"name": "yard", "ip_range": "10.8.0.0/24"}]
    vpc = await cloud.private_networks.create(REGION, spec(cloud.private_networks, subnets=parts))
    subnet_id = vpc.facts["subnet_ids"]["aisle"]
    within, outside = await machine(account, cloud, subnet_id=subnet_id), await machine(account, cloud)
    found = await cloud.machines.get(REGION, within.id)
    assert (found.network_id, found.subnet_id) == (vpc.id, subnet_id)
    listed = {each.id: each async for page in cloud.machines.pages(REGION) for each in page}
    assert listed[within.id] == found
    assert listed[outside.id].network_id is None
    for refused in (
        cloud.private_networks.delete(REGION, vpc.id),
        cloud.private_networks.change(REGION, vpc.id, {"subnets": parts[1:]}),
    ):
        with pytest.raises(Conflict):
            await refused
    await cloud.private_networks.change(REGION, vpc.id, {"subnets": parts[:1]})
    assert (await cloud.private_networks.get(REGION, vpc.id)).configuration == {"subnets": parts[:1]}
    await cloud.machines.terminate(REGION, within.id)
    await cloud.private_networks.delete(REGION, vpc.id)
    with pytest.raises(NotFound):
        await cloud.private_networks.get(REGION, vpc.id)


async def test_a_token_that_may_not_see_networks_still_sees_machines(account, cloud):
    made = await machine(account, cloud)
    for action in ("vpcs.ips", "instances.ips"):
        account.simulated.fault(match={"service": "linode", "action": action}, status=403, count=1)
    assert (await cloud.machines.get(REGION, made.id)).network_id is None
    assert made.id in {each.id async for page in cloud.machines.pages(REGION) for each in page}


async def test_what_somebody_wrote_about_a_vpc_stays(account, cloud):
    body = {"label": "their-vpc", "region": REGION, "description": "Hall and yard"}
    theirs = str(account.post("/v4/vpcs", body)["id"])
    assert (await cloud.private_networks.get(REGION, theirs)).tags == {}
    for week in ("46", "47"):
        await cloud.private_networks.tag(REGION, theirs, {"week": week})
    assert (await cloud.private_networks.get(REGION, theirs)).tags == {"week": "47"}
    document = await cloud.private_networks.document(REGION, theirs, "vpcs.get")
    assert document["description"] == "Hall and yard canopy tags: week:47"


REFUSED = [
    ("vpc", "subnets.0.ip_range", {"subnets": [{"name": "a", "ip_range": "8.8.8.0/24"}]}),
    ("vpc", "subnets.0.ip_range", {"subnets": [{"name": "a", "ip_range": "192.168.130.0/24"}]}),
    ("vpc", "subnets.0.ip_range", {"subnets": [{"name": "a", "ip_range": "10.0.0.0/30"}]}),
    ("vpc", "subnets.0.name", {"subnets": [{"name": "a--b", "ip_range": "10.0.0.0/24"}]}),
    ("vpc", "subnets", {"subnets": [{"name": each, "ip_range": "10.0.0.0/24"} for each in "ab"]}),
    ("vpc", "subnets", {"subnets": [{"name": "a", "ip_range": f"10.{each}.0.0/24"} for each in "12"]}),
]


async def test_a_configuration_that_cannot_be_names_its_field(account):
    types = {each.resource_subtype: each.resource_type for each in account.catalog.offers()}
    for subtype, field, given in REFUSED:
        with pytest.raises(InvalidRequest) as caught:
            account.catalog.configuration(types[subtype], subtype, given)
        assert caught.value.field == field, (subtype, given)

"""What is Azure's own about a load balancer: its address beside it, and machines that know where they belong."""

import pytest

from shared.clouds.assets import AssetLink, AssetSpec
from shared.clouds.azure.catalog import AzureCatalog
from shared.clouds.errors import InvalidRequest, NotFound, ProviderFault, QuotaExceeded
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "northeurope"  # no other test makes anything here


def spec(account, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration("load_balancer", "load_balancer", configuration))


@pytest.fixture
async def machines(account, cloud):
    """Two that run, in one order."""
    made = [await cloud.machines.create(REGION, MachineSpec(new_token(), "Standard_B1s")) for _ in range(2)]
    account.settle()
    return sorted(each.id for each in made)


async def test_a_balancer_stands_before_its_machines_until_they_go(account, cloud, machines):
    made = await cloud.load_balancers.create(REGION, spec(account, machines=machines[:1]))
    account.settle()
    made = await cloud.load_balancers.get(REGION, made.id)
    network = (await cloud.machines.get(REGION, machines[0])).network_id
    assert (await cloud.private_networks.get(REGION, network)).id == network
    assert made.configuration["machines"] == machines[:1]
    assert made.links == (
        AssetLink("target", f"machine:{machines[0]}", hard=False), AssetLink("network", f"network:{network}", hard=True),
    )  # fmt: skip
    for behind in (machines, machines[1:]):
        for _ in range(2):
            await cloud.load_balancers.change(REGION, made.id, {**made.configuration, "machines": behind})
            account.settle()
        assert (await cloud.load_balancers.get(REGION, made.id)).configuration["machines"] == behind
    listed = [each async for page in cloud.load_balancers.pages(REGION) for each in page if each.id == made.id]
    assert listed[0].configuration["machines"] == machines[1:]
    await cloud.machines.terminate(REGION, machines[1])
    account.settle()
    assert (await cloud.load_balancers.get(REGION, made.id)).configuration["machines"] == []


async def test_a_balancer_goes_with_its_address_and_lets_its_machines_be(account, cloud, machines):
    wanted = spec(account, public=True, machines=machines)
    made = await cloud.load_balancers.create(REGION, wanted)
    account.settle()
    made = await cloud.load_balancers.get(REGION, made.id)
    raw = await cloud._client.call("network", "public_ip_addresses.get", f"canopy-{REGION}", f"{made.name}-ip")
    assert made.address == raw["properties"]["ipAddress"]
    account.azure.fault(match={"service": "azure", "action": "public_ip_addresses.delete"}, status=500, code="internal")
    with pytest.raises(ProviderFault):
        await cloud.load_balancers.delete(REGION, made.id)
    account.end_faults()
    await cloud.load_balancers.delete(REGION, made.id)  # what is left of it goes by a repeat
    for operation, name in (("public_ip_addresses.get", f"{made.name}-ip"), ("load_balancers.get", made.name)):
        with pytest.raises(NotFound):
            await cloud._client.call("network", operation, f"canopy-{REGION}", name)
    again = await cloud.load_balancers.create(REGION, wanted)
    assert again.configuration["machines"] == machines


async def test_a_machine_that_is_not_there_is_named_before_anything_is_made(account, cloud):
    unknown = account.unknown_machine_id.replace(account.other_region, REGION)
    wanted = spec(account, public=True, machines=[unknown])
    with pytest.raises(InvalidRequest) as caught:
        await cloud.load_balancers.create(REGION, wanted)
    assert caught.value.field == "machines"
    assert not [each for each in account.azure.assets() if each["token"] == wanted.token]


async def test_a_refused_balancer_leaves_no_address(account, cloud):
    wanted = spec(account, public=True)
    action = "load_balancers.create_or_update"
    account.azure.fault(match={"service": "azure", "action": action}, status=409, code="quota")
    with pytest.raises(QuotaExceeded):
        await cloud.load_balancers.create(REGION, wanted)
    account.end_faults()
    assert not [each for each in account.azure.assets() if each["token"] == wanted.token]


@pytest.mark.parametrize(
    ("field", "configuration"),
    [
        ("subnet_id", {"public": True, "subnet_id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"
                       "/virtualNetworks/n/subnets/d"}),
        ("listeners", {"listeners": [{"port": 80, "target_port": 80}, {"port": 81, "target_port": 80}]}),
        ("listeners", {"listeners": []}),
        ("listeners.0.port", {"listeners": [{"port": 65535, "target_port": 80}]}),
        ("health_check.path", {"health_check": {"path": "/ready"}}),
        ("machines.0", {"machines": ["web-1"]}),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(field, configuration):
    with pytest.raises(InvalidRequest) as caught:
        AzureCatalog().configuration("load_balancer", "load_balancer", configuration)
    assert caught.value.field == field

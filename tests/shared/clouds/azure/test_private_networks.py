"""What is Azure's own about a virtual network: one PUT describes all of it, and nothing in use goes."""

import pytest

from shared.clouds.assets import AssetSpec
from shared.clouds.azure.catalog import AzureCatalog
from shared.clouds.errors import Conflict, InvalidRequest
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

KIND = ("network", "virtual_network")
REGION = "canadacentral"  # no other test makes anything here
FIRST, SECOND = ({"name": name, "address_prefix": f"10.7.{at}.0/24"} for name, at in (("first", 1), ("second", 2)))


def spec(account, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration(*KIND, configuration))


async def test_a_change_keeps_what_somebody_set_at_a_subnet(account, cloud):
    made = await cloud.private_networks.create(REGION, spec(account, address_prefixes=["10.7.0.0/16"], subnets=[FIRST]))
    wall = await cloud.networks.create_isolated_group(REGION, token=new_token(), tags={}, description="wall")
    place = (f"canopy-{REGION}", made.name)
    raw = await cloud._client.call("network", "virtual_networks.get", *place)
    raw["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": wall.id}
    await cloud._client.call("network", "virtual_networks.begin_create_or_update", *place, raw)
    await cloud.private_networks.change(REGION, made.id, {**made.configuration, "subnets": [FIRST, SECOND]})
    now = await cloud._client.call("network", "virtual_networks.get", *place)
    first, second = now["properties"]["subnets"]
    assert first["properties"]["networkSecurityGroup"] == {"id": wall.id}
    assert {each["service"] for each in second["properties"]["serviceEndpoints"]} == {
        "Microsoft.Sql", "Microsoft.Storage",
    }  # fmt: skip


async def test_a_network_with_a_machine_in_it_stays_and_so_does_its_subnet(account, cloud):
    made = await cloud.private_networks.create(REGION, spec(account, address_prefixes=["10.7.0.0/16"], subnets=[FIRST]))
    account.settle()
    machine = await cloud.machines.create(
        REGION, MachineSpec(new_token(), "Standard_B1s", subnet_id=f"{made.id}/subnets/first")
    )
    account.settle()
    assert (await cloud.machines.get(REGION, machine.id)).network_id == made.id
    with pytest.raises(Conflict):
        await cloud.private_networks.delete(REGION, made.id)
    with pytest.raises(Conflict):
        await cloud.private_networks.change(REGION, made.id, {**made.configuration, "subnets": [SECOND]})
    await cloud.machines.terminate(REGION, machine.id)
    account.settle()
    await cloud.private_networks.delete(REGION, made.id)


async def test_our_own_network_is_made_again_when_somebody_removed_it(account, cloud):
    region = "brazilsouth"
    subnet = await cloud.private_networks._ground.subnet(region)
    await cloud.private_networks.delete(region, subnet.partition("/subnets/")[0])
    account.settle()
    balancer = AssetSpec(new_token(), account.catalog.configuration("load_balancer", "load_balancer", {}))
    made = await cloud.load_balancers.create(region, balancer)
    assert made.configuration["subnet_id"] == subnet


@pytest.mark.parametrize(
    ("field", "configuration"),
    [
        ("address_prefixes", {"address_prefixes": []}),
        ("address_prefixes", {"address_prefixes": ["10.0.0.0/16", "10.0.1.0/24"]}),
        ("address_prefixes", {"address_prefixes": ["10.0.0.1/16"]}),
        ("address_prefixes", {"address_prefixes": ["10.0.0.0/30"]}),
        ("address_prefixes.0", {"address_prefixes": ["fd00::/64"]}),
        ("subnets", {"subnets": [{"name": "far", "address_prefix": "192.168.0.0/24"}]}),
        ("subnets", {"address_prefixes": ["10.7.0.0/16"], "subnets": [FIRST, {**FIRST, "name": "other"}]}),
        ("subnets", {"address_prefixes": ["10.7.0.0/16"], "subnets": [FIRST, {**SECOND, "name": "First"}]}),
        ("subnets.0.name", {"subnets": [{"name": "a/b", "address_prefix": "10.62.0.0/24"}]}),
        ("dns_servers.0", {"dns_servers": ["one.one"]}),
    ],
)
def test_a_wrong_field_is_named(field, configuration):
    with pytest.raises(InvalidRequest) as caught:
        AzureCatalog().configuration(*KIND, configuration)
    assert caught.value.field == field


def test_subnets_are_in_one_order():
    configuration = {"address_prefixes": ["10.7.0.0/16"], "subnets": [SECOND, FIRST]}
    assert AzureCatalog().configuration(*KIND, configuration)["subnets"] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("given", "made"),
    [("192.168.0.0/16", "192.168.0.0/17"), ("192.168.0.0/28", "192.168.0.0/29"), ("192.168.0.0/29", "192.168.0.0/29")],
)
def test_a_network_has_a_subnet_unless_told_otherwise(given, made):
    configuration = AzureCatalog().configuration(*KIND, {"address_prefixes": [given]})
    assert configuration["subnets"] == [{"name": "default", "address_prefix": made}]
    assert AzureCatalog().configuration(*KIND, {"subnets": []})["subnets"] == []

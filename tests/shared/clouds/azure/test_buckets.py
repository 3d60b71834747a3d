"""What is Azure's own about a storage account: a name of all the world's, contents, and who gets in."""

import asyncio

import pytest

from shared.clouds.assets import AssetLink, AssetSpec, AssetState
from shared.clouds.azure.cloud import AzureCloud
from shared.clouds.errors import Conflict, InvalidRequest, NotFound
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

KIND = ("storage", "storage_account")
REGION = "swedencentral"  # no other test makes anything here


def spec(account, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration(*KIND, configuration))


async def test_an_account_is_closed_to_everybody_without_a_sign_in(account, cloud):
    made = await cloud.buckets.create(REGION, spec(account))
    assert made.configuration == {
        "replication": "LRS",
        "access_tier": "Hot",
        "versioning": False,
        "soft_delete_days": 7,
        "shared_key_access": False,
        "subnet_ids": [],
    }
    assert made.facts == {"kind": "StorageV2", "minimum_tls_version": "TLS1_2", "public_blobs_allowed": False}
    assert made.address == f"{made.name}.blob.core.windows.net"


@pytest.mark.parametrize("operation", ["blob_containers.create", "file_shares.create", "queue.create", "table.create"])
async def test_an_account_with_anything_in_it_stays(account, cloud, operation):
    made = await cloud.buckets.create(REGION, spec(account))
    await cloud._client.call("storage", operation, f"canopy-{REGION}", made.name, "photos", {})
    with pytest.raises(Conflict) as caught:
        await cloud.buckets.delete(REGION, made.id)
    assert caught.value.code == "StorageAccountNotEmpty"
    assert await cloud.buckets.get(REGION, made.id) == made


async def test_a_name_of_somebody_else_s_is_a_conflict(account, cloud, simulated_azure):
    mine = spec(account, account_name="takenbycanopy")
    await cloud.buckets.create(REGION, mine)
    with pytest.raises(Conflict):
        await cloud.buckets.create(REGION, spec(account, account_name="takenbycanopy"))
    with pytest.raises(Conflict):
        await cloud.buckets.create("uksouth", spec(account, account_name="takenbycanopy"))
    stranger = account.open_with(simulated_azure.credentials(1))
    assert isinstance(stranger, AzureCloud)
    with pytest.raises(Conflict) as caught:
        await stranger.buckets.create(REGION, spec(account, account_name="takenbycanopy"))
    assert caught.value.code == "StorageAccountAlreadyTaken"
    await stranger.close()


async def test_only_the_named_subnets_come_in(account, cloud):
    network = AssetSpec(new_token(), account.catalog.configuration("network", "virtual_network", {}))
    hall = await cloud.private_networks.create(REGION, network)
    subnet = f"{hall.id}/subnets/default"
    made = await cloud.buckets.create(REGION, spec(account, subnet_ids=[subnet]))
    assert made.configuration["subnet_ids"] == [subnet]
    assert made.links == (AssetLink("network", f"network:{hall.id}", hard=False),)
    raw = await cloud._client.call("storage", "storage_accounts.get_properties", f"canopy-{REGION}", made.name)
    assert raw["properties"]["networkAcls"]["defaultAction"] == "Deny"
    with pytest.raises(InvalidRequest) as caught:
        await cloud.buckets.create(REGION, spec(account, subnet_ids=[await cloud.buckets._ground.subnet(REGION)]))
    assert caught.value.field == "subnet_ids"


async def test_addresses_that_others_let_in_stay_and_do_not_open_the_account(account, cloud):
    made = await cloud.buckets.create(REGION, spec(account))
    walls = {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7", "action": "Allow"}]}
    place = (f"canopy-{REGION}", made.name)
    await cloud._client.call("storage", "storage_accounts.update", *place, {"properties": {"networkAcls": walls}})
    await cloud.buckets.change(REGION, made.id, {**made.configuration, "access_tier": "Cool"})
    raw = await cloud._client.call("storage", "storage_accounts.get_properties", *place)
    assert raw["properties"]["networkAcls"]["defaultAction"] == "Deny"
    assert raw["properties"]["networkAcls"]["ipRules"] == walls["ipRules"]
    assert raw["properties"]["accessTier"] == "Cool"


@pytest.mark.parametrize("kind", ["BlockBlobStorage", "FileStorage"])
async def test_an_account_of_another_kind_is_listed_and_goes_too(cloud, kind):
    """One that somebody else made, for blobs or for files alone."""
    body = {"location": REGION, "kind": kind, "sku": {"name": "Premium_LRS"}, "properties": {}}
    name = kind.lower()[:20]
    await cloud._client.call(
        "storage", "storage_accounts.begin_create", await cloud.buckets._ground.group(REGION), name, body
    )
    found = await until_listed(cloud, name)
    assert found.facts["kind"] == kind
    assert ("versioning" in found.configuration) == (kind == "BlockBlobStorage")
    await cloud.buckets.delete(REGION, found.id)
    with pytest.raises(NotFound):
        await cloud.buckets.get(REGION, found.id)


async def until_listed(cloud, name):
    for _ in range(100):
        found = [each async for page in cloud.buckets.pages(REGION) for each in page if each.name == name]
        if found and found[0].state is AssetState.AVAILABLE:
            return found[0]
        await asyncio.sleep(0.02)
    raise AssertionError(name)

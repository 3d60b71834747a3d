"""What is Azure's own about a SQL database: its server, who administers it, who reaches it, and copies."""

import pytest

from shared.clouds.assets import AssetLink, AssetSpec, AssetState
from shared.clouds.errors import InvalidRequest, NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION, OTHER = "centralindia", "southeastasia"  # no other test makes anything here


def spec(account, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration("database", "sql_database", configuration))


async def server_of(cloud, database):
    return await cloud._client.call("sql", "servers.get", f"canopy-{database.region}", database.facts["server"])


async def test_nobody_reaches_a_database_and_nobody_has_a_password(account, cloud):
    made = await cloud.databases.create(REGION, spec(account))
    assert made.state is AssetState.CREATING
    account.settle()
    made = await cloud.databases.get(REGION, made.id)
    assert made.state is AssetState.RUNNING
    assert made.address == f"{made.facts['server']}.database.windows.net"
    properties = (await server_of(cloud, made))["properties"]
    assert (properties["publicNetworkAccess"], properties["minimalTlsVersion"]) == ("Disabled", "1.2")
    assert properties["administrators"]["azureADOnlyAuthentication"] is True
    assert properties["administrators"]["sid"] == account.credentials["client_id"]
    assert "administratorLogin" not in properties


async def test_one_subnet_may_come_in_and_be_kept_out_again(account, cloud):
    network = AssetSpec(new_token(), account.catalog.configuration("network", "virtual_network", {}))
    hall = await cloud.private_networks.create(REGION, network)
    subnet = f"{hall.id}/subnets/default"
    made = await cloud.databases.create(REGION, spec(account, subnet_id=subnet))
    account.settle()
    made = await cloud.databases.get(REGION, made.id)
    assert made.configuration["subnet_id"] == subnet
    assert made.links == (AssetLink("network", f"network:{hall.id}", hard=False),)
    assert (await server_of(cloud, made))["properties"]["publicNetworkAccess"] == "Enabled"
    await cloud.databases.change(REGION, made.id, {**made.configuration, "subnet_id": None})
    closed = await cloud.databases.get(REGION, made.id)
    assert (closed.configuration["subnet_id"], closed.links) == (None, ())
    assert (await server_of(cloud, made))["properties"]["publicNetworkAccess"] == "Disabled"


async def test_a_copy_in_another_region_stands_on_its_source(account, cloud):
    source = await cloud.databases.create(REGION, spec(account, database_name="guests"))
    account.settle()
    wanted = spec(account, database_name="guests", source_database_id=source.id)
    copy = await cloud.databases.create(OTHER, wanted)
    account.settle()
    copy = await cloud.databases.get(OTHER, copy.id)
    assert copy.configuration["source_database_id"] == source.id
    assert copy.links == (AssetLink("replica", f"database:{source.id}", hard=False),)
    assert (await cloud.databases.get(REGION, source.id)).links == ()


async def test_a_size_is_changed_once_at_a_time(account, cloud):
    made = await cloud.databases.create(REGION, spec(account))
    account.settle()
    made = await cloud.databases.get(REGION, made.id)
    await cloud.databases.change(REGION, made.id, {**made.configuration, "instance_type": "S2"})
    changing = await cloud.databases.get(REGION, made.id)
    assert (changing.state, changing.configuration["instance_type"]) == (AssetState.CHANGING, "S0")
    with pytest.raises(StillWorking):
        await cloud.databases.change(REGION, made.id, {**made.configuration, "instance_type": "S3"})
    account.settle()
    assert (await cloud.databases.get(REGION, made.id)).configuration["instance_type"] == "S2"


@pytest.mark.parametrize(
    ("field", "configuration"),
    [
        ("instance_type", {"instance_type": "S99"}),
        ("storage_gib", {"instance_type": "Basic", "storage_gib": 64}),
    ],
)
async def test_a_refused_database_leaves_no_server(account, cloud, field, configuration):
    wanted = spec(account, **configuration)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.databases.create(REGION, wanted)
    assert caught.value.field == field
    account.settle()
    assert not [each for each in account.azure.assets() if each["token"] == wanted.token]


async def test_a_server_goes_with_its_database_unless_others_use_it(account, cloud):
    alone, shared = [await cloud.databases.create(REGION, spec(account)) for _ in range(2)]
    account.settle()
    place = (f"canopy-{REGION}", (await cloud.databases.get(REGION, shared.id)).facts["server"])
    body = {"location": REGION, "sku": {"name": "S0"}, "tags": {"owner": "somebody"}}
    await cloud._client.call("sql", "databases.begin_create_or_update", *place, "theirs", body)
    account.settle()
    for each in (alone, shared):
        await cloud.databases.delete(REGION, each.id)
    account.settle()
    listed = {each.name: each async for page in cloud.databases.pages(REGION) for each in page
              if each.facts["server"] in {place[1], alone.id.split("/")[-3]}}  # fmt: skip
    assert list(listed) == ["theirs"]
    assert TOKEN_TAG not in listed["theirs"].tags
    with pytest.raises(NotFound):
        await cloud._client.call("sql", "servers.get", place[0], alone.id.split("/")[-3])

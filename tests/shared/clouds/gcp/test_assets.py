"""What only Google Cloud's assets do: composite things made and removed whole, links, secrets, what keeps them."""

import asyncio

import pytest

from shared.clouds.assets import AssetLink, AssetState
from shared.clouds.errors import (
    CloudError,
    Conflict,
    IncorrectState,
    InvalidRequest,
    NotFound,
    ProviderFault,
    QuotaExceeded,
    StillWorking,
    Unsupported,
)
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.databases import GcpDatabases
from shared.clouds.gcp.sql_facts import asset_of
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "us-central1"
GLOBAL = "global"


async def machine(cloud, gcp, **more):
    made = await cloud.machines.create(REGION, MachineSpec(new_token(), "e2-micro", **more))
    gcp.advance()
    return made


async def test_a_bucket_is_found_by_its_token_stays_while_it_holds_something_and_is_not_taken_over(cloud, spec):
    asked = spec(cloud.buckets, name="canopy-wedding-albums")
    made = await cloud.buckets.create(GLOBAL, asked)
    assert made.facts["public_access_prevention"] == "enforced"
    assert made.facts["uniform_access"]
    assert await cloud.buckets.find_by_token(GLOBAL, asked.token) == made
    with pytest.raises(Conflict):
        await cloud.buckets.create(GLOBAL, spec(cloud.buckets, name="canopy-wedding-albums"))
    session, url = cloud._client._session, cloud._client._endpoint
    upload = f"{url}/upload/storage/v1/b/canopy-wedding-albums/o?name=one.jpg&uploadType=media"
    assert (await asyncio.to_thread(session.post, upload, data=b"x")).status_code == 200
    with pytest.raises(Conflict):
        await cloud.buckets.delete(GLOBAL, made.id)
    with pytest.raises(NotFound):
        await cloud.buckets.get(GLOBAL, "../../../token")


async def test_a_network_is_completed_by_a_repeat(cloud, spec, gcp):
    part = {"name": "aisle", "region": "europe-west1", "ip_range": "10.4.0.0/24"}
    asked = spec(cloud.private_networks, subnet_mode="custom", subnets=[part])
    gcp.fault(match={"service": "gcp", "action": "subnetworks.insert"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.private_networks.create(GLOBAL, asked)
    half = await cloud.private_networks.find_by_token(GLOBAL, asked.token)
    assert half.configuration["subnets"] == []
    gcp.clear_faults()
    whole = await cloud.private_networks.create(GLOBAL, asked)
    assert (whole.id, whole.configuration) == (half.id, asked.configuration)
    with pytest.raises(Conflict):
        await cloud.private_networks.create(GLOBAL, spec(cloud.private_networks, subnet_mode="custom", subnets=[part]))


async def test_a_network_stays_while_a_machine_or_anybodys_rule_is_in_it(cloud, spec, gcp, rest):
    part = {"name": "stage", "region": REGION, "ip_range": "10.5.0.0/24"}
    network = await cloud.private_networks.create(
        GLOBAL, spec(cloud.private_networks, subnet_mode="custom", subnets=[part])
    )
    [subnet_id] = network.facts["subnet_ids"]
    within = await machine(cloud, gcp, subnet_id=subnet_id)
    assert (await cloud.machines.get(REGION, within.id)).network_id == network.id
    body = {"name": "theirs", "network": network.id, "denied": [{"IPProtocol": "all"}]}
    await rest("POST", "global/firewalls", body)
    for obstacle in ("theirs is a rule", "already being used"):
        with pytest.raises(Conflict, match=obstacle):
            await cloud.private_networks.delete(GLOBAL, network.id)
        assert await cloud.private_networks.get(GLOBAL, network.id) == network
        if obstacle.startswith("theirs"):
            await rest("DELETE", "global/firewalls/theirs")
    await cloud.machines.terminate(REGION, within.id)
    gcp.advance()
    await cloud.private_networks.delete(GLOBAL, network.id)
    with pytest.raises(NotFound):
        await rest("GET", f"global/firewalls/{gcp_tags.name_of(network.name, 'network')}")


async def test_an_auto_network_that_is_used_keeps_its_rule(cloud, spec, gcp):
    network = await cloud.private_networks.create(GLOBAL, spec(cloud.private_networks))
    subnet_id = next(each for each in network.facts["subnet_ids"] if REGION in each)
    within = await machine(cloud, gcp, subnet_id=subnet_id)
    with pytest.raises(Conflict):
        await cloud.private_networks.delete(GLOBAL, network.id)
    assert await cloud.private_networks.get(GLOBAL, network.id) == network
    await cloud.machines.terminate(REGION, within.id)


async def test_anothers_network_is_shown_and_tagged(cloud, rest):
    listed = [each async for page in cloud.private_networks.pages(GLOBAL) for each in page]
    [default] = [each for each in listed if each.name == "default"]
    assert default.configuration == {"subnet_mode": "auto", "subnets": [], "routing_mode": "REGIONAL"}
    await rest("POST", "global/networks", {"name": "their-network", "autoCreateSubnetworks": False})
    theirs = default.id.replace("default", "their-network")
    await cloud.private_networks.tag(GLOBAL, theirs, {"team": "photos"})
    found = await cloud.private_networks.get(GLOBAL, theirs)
    assert (found.tags, found.configuration["internal_traffic"]) == ({"team": "photos"}, False)


async def test_nobody_hears_of_the_password(account, spec, gcp):
    client = GcpClient(account.credentials, gcp.settings())
    databases = GcpDatabases(client, new_password=lambda: "db-secret")
    tier = "db-secret"  # Google quotes what it refuses, and here that is the password, too
    with pytest.raises(InvalidRequest) as caught:
        await databases.create(REGION, spec(databases, instance_type=tier))
    assert caught.value.field == "instance_type"
    assert "db-secret" not in f"{caught.value} {caught.value.problems}"
    made = await databases.create(REGION, spec(databases))
    assert "db-secret" not in repr(made)
    assert made.facts["tls"] == "ENCRYPTED_ONLY"
    await client.close()


async def test_a_copy_of_a_database_in_a_network(cloud, spec, gcp):
    network = await cloud.private_networks.create(GLOBAL, spec(cloud.private_networks))
    source = await cloud.databases.create(REGION, spec(cloud.databases, network_id=network.id))
    assert source.state is AssetState.CREATING
    with pytest.raises(StillWorking):
        await cloud.databases.stop(REGION, source.id)
    gcp.advance()
    asked = spec(cloud.databases, source_database_id=source.id, backups=False)
    copy = await cloud.databases.create("us-east1", asked)
    gcp.advance()
    assert copy.links == (AssetLink("replica_of", f"database:{source.id}", hard=False),)
    source = await cloud.databases.get(REGION, source.id)
    assert source.links == (AssetLink("network", f"network:{network.id}", hard=True),)
    assert (source.facts["replica_ids"], source.address[:3]) == ([copy.id], "10.")
    for refused in (cloud.databases.stop, cloud.databases.delete):
        with pytest.raises(IncorrectState):
            await refused(REGION, source.id)
    with pytest.raises(NotFound):
        await cloud.databases.get(REGION, copy.id)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.databases.create(REGION, spec(cloud.databases, source_database_id="never-made", backups=False))
    assert caught.value.field == "source_database_id"


async def test_a_disk_does_not_shrink(cloud, spec, gcp):
    made = await cloud.databases.create(REGION, spec(cloud.databases, storage_gib=20))
    gcp.advance()
    with pytest.raises(InvalidRequest) as caught:
        await cloud.databases.change(REGION, made.id, {**made.configuration, "storage_gib": 10})
    assert caught.value.field == "storage_gib"


async def test_a_balancer_is_completed_by_a_repeat_and_a_refused_one_leaves_nothing(cloud, spec, gcp, rest):
    asked = spec(cloud.load_balancers)
    name = gcp_tags.name_of(asked.token, REGION)
    gcp.fault(match={"service": "gcp", "action": "forwardingRules.insert"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.load_balancers.create(REGION, asked)
    gcp.clear_faults()
    assert (await rest("GET", f"regions/{REGION}/targetPools/{name}"))["name"] == name
    made = await cloud.load_balancers.create(REGION, asked)
    assert made.configuration == asked.configuration
    await cloud.load_balancers.delete(REGION, made.id)

    gcp.fault(match={"service": "gcp", "action": "forwardingRules.insert"}, fail_operation=True, code="QUOTA_EXCEEDED")
    with pytest.raises(QuotaExceeded):
        await cloud.load_balancers.create(REGION, asked)
    for path in (f"regions/{REGION}/targetPools/{name}", f"global/httpHealthChecks/{name}"):
        with pytest.raises(NotFound):
            await rest("GET", path)


async def test_machines_come_to_stand_behind_a_balancer_and_go(cloud, spec, gcp):
    one, two = [(await machine(cloud, gcp)).id for _ in range(2)]
    made = await cloud.load_balancers.create(REGION, spec(cloud.load_balancers, machines=[one]))
    assert made.links == (AssetLink("target", f"machine:{one}", hard=True),)
    await cloud.load_balancers.change(REGION, made.id, {**made.configuration, "machines": sorted([one, two])})
    both = await cloud.load_balancers.get(REGION, made.id)
    assert both.links == tuple(AssetLink("target", f"machine:{each}", hard=False) for each in sorted([one, two]))
    await cloud.load_balancers.change(REGION, made.id, {**made.configuration, "machines": [two]})
    assert (await cloud.load_balancers.get(REGION, made.id)).configuration["machines"] == [two]
    unknown = f"zones/{REGION}-a/instances/never-made"
    for call in (
        cloud.load_balancers.create(REGION, spec(cloud.load_balancers, machines=[unknown])),
        cloud.load_balancers.change(REGION, made.id, {**made.configuration, "machines": [unknown]}),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await call
        assert caught.value.field == "machines"
    for each in (one, two):
        await cloud.machines.terminate(REGION, each)


async def test_anothers_rule_is_shown_and_only_it_is_removed(cloud, rest):
    await rest("POST", f"regions/{REGION}/targetPools", {"name": "their-pool"})
    target = f"regions/{REGION}/targetPools/their-pool"
    await rest("POST", f"regions/{REGION}/forwardingRules", {"name": "their-rule", "target": target})
    identifier = f"regions/{REGION}/forwardingRules/their-rule"
    found = await cloud.load_balancers.get(REGION, identifier)
    assert (found.configuration["port"], found.configuration["last_port"]) == (1, 65535)
    assert "health_check" not in found.configuration
    with pytest.raises(Unsupported):
        await cloud.load_balancers.change(REGION, identifier, {"machines": [], "health_check": {}})
    await cloud.load_balancers.delete(REGION, identifier)
    assert (await rest("GET", target))["name"] == "their-pool"


async def test_a_private_zone_leads_to_what_it_names_and_goes_with_its_records(cloud, spec):
    network = await cloud.private_networks.create(GLOBAL, spec(cloud.private_networks))
    balancer = await cloud.load_balancers.create(REGION, spec(cloud.load_balancers))
    records = [{"name": "www", "type": "A", "values": [balancer.address]}]
    asked = spec(cloud.dns_zones, zone_name="inner.example", network_ids=[network.id], records=records)
    zone = await cloud.dns_zones.create(GLOBAL, asked)
    assert zone.configuration == asked.configuration
    assert zone.links == (
        AssetLink("record", f"address:{balancer.address}", hard=False),
        AssetLink("network", f"network:{network.id}", hard=True),
    )
    assert len(zone.facts["name_servers"]) == 4
    await cloud.dns_zones.delete(GLOBAL, zone.id)
    with pytest.raises(NotFound):
        await cloud.dns_zones.get(GLOBAL, zone.id)


async def test_a_public_zone_is_signed_and_completed_by_a_repeat(cloud, spec, gcp):
    records = [{"name": "@", "type": "A", "values": ["192.0.2.1"]}]
    asked = spec(cloud.dns_zones, zone_name="outer.example", records=records)
    gcp.fault(match={"service": "gcp", "action": "dns.changes.create"}, reset=True, after=True)
    with pytest.raises(CloudError) as caught:
        await cloud.dns_zones.create(GLOBAL, asked)
    assert caught.value.outcome_unknown
    gcp.clear_faults()
    zone = await cloud.dns_zones.create(GLOBAL, asked)
    assert (zone.configuration, zone.facts["dnssec"]) == (asked.configuration, "on")


def test_an_instance_that_only_stands_for_one_elsewhere_is_shown_too():
    external = {
        "name": "their-source", "region": REGION, "instanceType": "ON_PREMISES_INSTANCE", "state": "RUNNABLE",
        "databaseVersion": "SQLSERVER_2022_STANDARD",
    }  # fmt: skip
    shown = asset_of(external)
    assert (shown.state, shown.address) == (AssetState.RUNNING, None)
    told = shown.configuration
    assert (told["engine"], told["version"], told["storage_gib"]) == ("sqlserver", "2022.STANDARD", None)

"""What only Linode's assets do: where a machine is, what keeps a thing, whose text stays, what is completed."""

from datetime import UTC, datetime

import httpx
import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink, AssetSpec
from shared.clouds.errors import (
    Conflict,
    IncorrectState,
    InvalidRequest,
    NotFound,
    ProviderFault,
    StillWorking,
)
from shared.clouds.linode.labels import label_of, token_of
from shared.clouds.models import MachineSpec, VolumeState
from shared.clouds.quotas import WithQuotas
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 26, tzinfo=UTC)
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
    for action in ("vpc_addresses.list", "instances.ips"):
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


async def test_a_volume_is_one_thing_by_both_doors_and_grows_and_moves_in_steps(account, cloud, spec):
    one, two = [(await machine(account, cloud)).id for _ in range(2)]
    made = await cloud.block_volumes.create(REGION, spec(cloud.block_volumes, size_gib=30, machine_id=one))
    account.settle()
    asset, volume = await cloud.block_volumes.get(REGION, made.id), await cloud.volumes.get(REGION, made.id)
    seen = {"state": volume.state, **asset.configuration, **asset.facts}
    assert seen == {"state": VolumeState.IN_USE, **{name: getattr(volume, name) for name in seen if name != "state"}}
    assert asset.configuration["machine_id"] == one
    with pytest.raises(Conflict):
        await cloud.block_volumes.delete(REGION, made.id)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.block_volumes.change(REGION, made.id, {**asset.configuration, "size_gib": 20})
    assert caught.value.field == "size_gib"
    wanted = {**asset.configuration, "size_gib": 40, "machine_id": two}
    for _ in ("grow", "detach"):
        with pytest.raises(StillWorking):
            await cloud.block_volumes.change(REGION, made.id, wanted)
        account.settle()
    for _ in ("attach", "nothing"):
        await cloud.block_volumes.change(REGION, made.id, wanted)
    assert (await cloud.block_volumes.get(REGION, made.id)).configuration == wanted
    await cloud.block_volumes.change(REGION, made.id, {**wanted, "machine_id": None})
    with pytest.raises(InvalidRequest) as caught:
        await cloud.block_volumes.change(REGION, made.id, {**wanted, "machine_id": "123456789"})
    assert caught.value.field == "machine_id"
    await cloud.block_volumes.delete(REGION, made.id)


async def test_machines_come_to_stand_behind_a_balancer_and_go(account, cloud, spec):
    one, two = [(await machine(account, cloud)).id for _ in range(2)]
    behind = [{"machine_id": each, "port": 8080, "weight": 100} for each in (one, two)]
    asked = spec(cloud.load_balancers, listeners=[{"port": 80, "backends": behind[:1]}])
    made = await cloud.load_balancers.create(REGION, asked)
    assert made.configuration == asked.configuration
    assert made.links == (AssetLink("target", f"machine:{one}", hard=True),)
    path = f"/v4/nodebalancers/{made.id}/configs"
    [config] = await cloud.load_balancers._configs(REGION, made.id)
    assert (await cloud.machines.get(REGION, one)).private_ip.startswith("192.168.")
    address = account.post(f"/v4/linode/instances/{two}/ips", {"type": "ipv4", "public": False})["address"]
    account.post(f"{path}/{config['id']}/nodes", {"label": "theirs", "address": f"{address}:81"})
    account.post(path, {"port": 443, "protocol": "https"})
    wanted = {**made.configuration, "listeners": [{**made.configuration["listeners"][0], "backends": behind}]}
    await cloud.load_balancers.change(REGION, made.id, wanted)
    changed = await cloud.load_balancers.get(REGION, made.id)
    assert (changed.configuration, changed.facts["other_ports"]) == (wanted, [443])
    targets = [f"address:{address}", f"machine:{one}", f"machine:{two}"]
    assert changed.links == tuple(AssetLink("target", each, hard=False) for each in targets)


async def test_what_a_balancer_cannot_reach_is_refused_by_its_field(account, cloud, spec):
    without_address = (await machine(account, cloud)).id
    made = await cloud.load_balancers.create(REGION, spec(cloud.load_balancers))
    account.simulated.fault(match={"service": "linode", "action": "addresses.create"}, status=400)
    for unreachable in (without_address, "123456789"):
        asked = spec(cloud.load_balancers, listeners=[{"backends": [{"machine_id": unreachable}]}])
        for call in (
            cloud.load_balancers.create(REGION, asked),
            cloud.load_balancers.change(REGION, made.id, asked.configuration),
        ):
            with pytest.raises(InvalidRequest) as caught:
                await call
            assert caught.value.field == "listeners"


EVERY_TYPE = [
    {"name": "*.www", "type": "CNAME", "values": ["example.com"]},
    {"name": "1", "type": "TXT", "values": ["Hochzeit Müller", "v=spf1 -all"]},
    {"name": "@", "type": "A", "values": ["192.0.2.1"]},
    {"name": "@", "type": "AAAA", "values": ["2001:db8:0:0::1"]},
    {"name": "@", "type": "CAA", "values": ["0 issue letsencrypt.org; validationmethods=dns-01"]},
    {"name": "@", "type": "MX", "values": ["20 b.example.com", "10 a.example.com."]},
    {"name": "_sip._tcp", "type": "SRV", "values": ["0 5 5060 sip.example.com"]},
    {"name": "sub", "type": "NS", "values": ["ns1.example.com", "ns2.example.com"]},
]


async def test_every_type_of_record_is_read_as_it_was_written_and_others_stay(account, cloud, spec):
    asked = spec(cloud.dns_zones, zone_name="every-type.example", records=EVERY_TYPE)
    made = await cloud.dns_zones.create(GLOBAL_REGION, asked)
    assert made.configuration == asked.configuration
    assert len(made.configuration["records"]) == len(EVERY_TYPE)
    account.post(f"/v4/domains/{made.id}/records", {"type": "PTR", "name": "1", "target": "host.example"})
    await cloud.dns_zones.change(GLOBAL_REGION, made.id, {**made.configuration, "records": []})
    left = await cloud.dns_zones.get(GLOBAL_REGION, made.id)
    assert (left.configuration["records"], left.facts["other_records"]) == ([], ["1 PTR"])


async def test_a_value_that_replaces_another_changes_in_place(cloud, spec):
    record = {"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 300}
    asked = spec(cloud.dns_zones, zone_name="in-place.example", records=[record])
    made = await cloud.dns_zones.create(GLOBAL_REGION, asked)
    before = {each["id"] for each in await cloud.dns_zones._records(made.id)}
    wanted = {**made.configuration, "records": [{**record, "values": ["192.0.2.1", "192.0.2.9"], "ttl_s": 3600}]}
    await cloud.dns_zones.change(GLOBAL_REGION, made.id, wanted)
    assert (await cloud.dns_zones.get(GLOBAL_REGION, made.id)).configuration == wanted
    assert {each["id"] for each in await cloud.dns_zones._records(made.id)} == before


async def test_a_domain_is_completed_by_a_repeat_and_leads_to_what_it_names(account, cloud, spec):
    balancer = await cloud.load_balancers.create(REGION, spec(cloud.load_balancers))
    records = [
        {"name": "@", "type": "A", "values": [balancer.address]},
        {"name": "www", "type": "CNAME", "values": ["begun.example"]},
    ]
    asked = spec(cloud.dns_zones, zone_name="begun.example", records=records)
    account.simulated.fault(match={"service": "linode", "action": "records.create"}, status=503, count=1)
    with pytest.raises(ProviderFault):
        await cloud.dns_zones.create(GLOBAL_REGION, asked)
    half = await cloud.dns_zones.find_by_token(GLOBAL_REGION, asked.token)
    assert half.configuration["records"] == []
    made = await cloud.dns_zones.create(GLOBAL_REGION, asked)
    assert (made.id, made.configuration) == (half.id, asked.configuration)
    targets = [f"address:{balancer.address}", "address:begun.example"]
    assert made.links == tuple(AssetLink("record", each, hard=False) for each in targets)
    with pytest.raises(Conflict):
        await cloud.dns_zones.create(GLOBAL_REGION, spec(cloud.dns_zones, zone_name="begun.example"))


async def test_a_database_in_a_vpc_is_suspended_only_when_it_stands_still(account, cloud, spec):
    part = {"name": "data", "ip_range": "10.9.0.0/24"}
    vpc = await cloud.private_networks.create(REGION, spec(cloud.private_networks, subnets=[part]))
    place = {"network_id": vpc.id, "subnet_id": vpc.facts["subnet_ids"]["data"]}
    made = await cloud.databases.create(REGION, spec(cloud.databases, **place))
    assert made.links == (AssetLink("network", f"network:{vpc.id}", hard=True),)
    assert (made.facts["public"], made.configuration["version"]) == (False, "17")
    for refused in (
        cloud.databases.stop(REGION, made.id),
        cloud.databases.change(REGION, made.id, {**made.configuration, "cluster_size": 3}),
    ):
        with pytest.raises(StillWorking):
            await refused
    account.settle()
    await cloud.databases.stop(REGION, made.id)
    with pytest.raises(StillWorking):
        await cloud.databases.start(REGION, made.id)
    account.settle()
    with pytest.raises(IncorrectState):
        await cloud.databases.change(REGION, made.id, {**made.configuration, "cluster_size": 3})
    elsewhere = spec(cloud.databases, **{**place, "subnet_id": "1"})
    with pytest.raises(InvalidRequest) as caught:
        await cloud.databases.create(REGION, elsewhere)
    assert caught.value.field == "subnet_id"


async def test_a_bucket_stays_while_it_holds_something(account, cloud, spec):
    made = await cloud.buckets.create(REGION, spec(cloud.buckets))
    assert (made.facts["acl"], made.address) == ("private", f"{made.name}.{REGION}-1.linodeobjects.com")
    signed = account.post(f"/v4/object-storage/buckets/{made.id}/object-url", {"method": "PUT", "name": "one.jpg"})
    assert httpx.put(signed["url"], content=b"x", trust_env=False).is_success
    with pytest.raises(Conflict):
        await cloud.buckets.delete(REGION, made.id)
    with pytest.raises(NotFound):
        await cloud.buckets.get(REGION, f"{REGION}/../../profile")


async def test_what_is_made_under_a_token_of_another_form_is_found_by_it_too(cloud, spec):
    for assets in (cloud.buckets, cloud.databases):
        asked = spec(assets, token=f"drill/{'x' * 50}")
        made = await assets.create(REGION, asked)
        assert (made.token, (await assets.find_by_token(REGION, asked.token)).id) == (asked.token, made.id)
        assert (await assets.create(REGION, asked)).id == made.id
        assert (await assets.get(REGION, made.id)).token is None


def test_a_label_says_a_uuid_and_nothing_else():
    token = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
    assert token_of(label_of(token)) == token
    assert len(label_of(token)) == 32
    for other in (token.upper(), token.replace("-", ""), f"test:{token}", "x"):
        assert token_of(label_of(other)) is None
        assert len(label_of(other)) <= 32


async def test_object_storage_tells_what_an_account_may_have(account, cloud, spec):
    assert isinstance(cloud, WithQuotas)
    before = await cloud.quotas.read("fr-par", NOW)
    await cloud.buckets.create("fr-par", spec(cloud.buckets))
    quotas = await cloud.quotas.read("fr-par", NOW)
    assert [(each.name, each.unit) for each in quotas] == [
        ("Max buckets", None),
        ("Max bytes", "byte"),
        ("Max objects", None),
    ]
    assert (quotas[0].limit, quotas[0].used) == (5000.0, (before[0].used or 0) + 1)
    assert await cloud.quotas.read(GLOBAL_REGION, NOW) == []
    account.simulated.fault(match={"service": "linode", "action": "quotas.usage"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.quotas.read("fr-par", NOW)


A = {"name": "www", "type": "A", "values": ["192.0.2.1"]}
REFUSED = [
    ("vpc", "subnets.0.ip_range", {"subnets": [{"name": "a", "ip_range": "8.8.8.0/24"}]}),
    ("vpc", "subnets.0.ip_range", {"subnets": [{"name": "a", "ip_range": "192.168.130.0/24"}]}),
    ("vpc", "subnets.0.ip_range", {"subnets": [{"name": "a", "ip_range": "10.0.0.0/30"}]}),
    ("vpc", "subnets.0.name", {"subnets": [{"name": "a--b", "ip_range": "10.0.0.0/24"}]}),
    ("vpc", "subnets", {"subnets": [{"name": each, "ip_range": "10.0.0.0/24"} for each in "ab"]}),
    ("vpc", "subnets", {"subnets": [{"name": "a", "ip_range": f"10.{each}.0.0/24"} for each in "12"]}),
    ("volume", "size_gib", {"size_gib": 9}),
    ("nodebalancer", "listeners", {"listeners": [{}, {"protocol": "http"}]}),
    ("nodebalancer", "listeners.0", {"listeners": [{"stickiness": "http_cookie"}]}),
    ("nodebalancer", "listeners.0.protocol", {"listeners": [{"protocol": "https"}]}),
    ("nodebalancer", "listeners.0.backends", {"listeners": [{"backends": [{"machine_id": "1"}] * 2}]}),
    ("managed_database", "version", {"version": "17.2"}),
    ("managed_database", "cluster_size", {"cluster_size": 4}),
    ("managed_database", "allow_list", {"allow_list": ["everybody"]}),
    ("managed_database", "subnet_id", {"network_id": "1"}),
    ("managed_database", "password", {"password": "secret"}),
    ("object_storage_bucket", "name", {"name": "photos"}),
    ("domain", "zone_name", {}),
    ("domain", "zone_name", {"zone_name": "Example.com"}),
    ("domain", "records", {"zone_name": "a.example", "records": [A, A]}),
    ("domain", "records", {"zone_name": "a.example", "records": [A, {**A, "type": "CNAME", "values": ["b.example"]}]}),
    (
        "domain",
        "records.0",
        {"zone_name": "a.example", "records": [{**A, "type": "SRV", "values": ["0 0 1 b.example"]}]},
    ),
    (
        "domain",
        "records.0",
        {"zone_name": "a.example", "records": [{"name": "@", "type": "NS", "values": ["b.example"]}]},
    ),
    ("domain", "records.0.type", {"zone_name": "a.example", "records": [{**A, "type": "SOA"}]}),
    ("domain", "records.0.values", {"zone_name": "a.example", "records": [{**A, "values": ["b.example"]}]}),
    ("domain", "records.0.ttl_s", {"zone_name": "a.example", "records": [{**A, "ttl_s": 301}]}),
    ("nodebalancer", "listeners.0.health_check", {"listeners": [{"health_check": {"interval_s": 3}}]}),
]


async def test_a_configuration_that_cannot_be_names_its_field(account):
    types = {each.resource_subtype: each.resource_type for each in account.catalog.offers()}
    for subtype, field, given in REFUSED:
        with pytest.raises(InvalidRequest) as caught:
            account.catalog.configuration(types[subtype], subtype, given)
        assert caught.value.field == field, (subtype, given)

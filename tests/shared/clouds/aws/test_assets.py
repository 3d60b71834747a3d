"""What is particular about AWS's assets: what they consist of, stand on, are refused by, and leave behind (nothing)."""

from typing import Any
from uuid import uuid4

import boto3
import pytest

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, Assets, AssetSpec, AssetState
from shared.clouds.aws import bucket_policies
from shared.clouds.aws.cloud import AwsCloud
from shared.clouds.errors import (
    Conflict,
    IncorrectState,
    InvalidRequest,
    NotFound,
    RateLimited,
    StillWorking,
)
from shared.clouds.models import TOKEN_TAG, MachineSpec
from tests.fixtures.clouds import SimulatedAws
from tests.shared.clouds.aws.conftest import AwsAccount

pytestmark = pytest.mark.anyio

REGION = "us-west-2"


def sdk(aws: SimulatedAws, service: str, account: int = 0) -> Any:
    """The account's owner with a tool of their own."""
    keys = aws.credentials(account)
    return boto3.client(
        service, region_name=REGION, endpoint_url=aws.endpoint_url,
        aws_access_key_id=keys["access_key_id"], aws_secret_access_key=keys["secret_access_key"],
    )  # fmt: skip


def spec(account: AwsAccount, assets: Assets, token: str | None = None, **given: Any) -> AssetSpec:
    kind = (assets.resource_type, assets.resource_subtype)
    return AssetSpec(token or f"test:{uuid4()}", account.catalog.configuration(*kind, given))


async def made(account: AwsAccount, assets: Assets, **given: Any) -> Asset:
    region = GLOBAL_REGION if assets.is_global else REGION
    asset = await assets.create(region, spec(account, assets, **given))
    account.settle()
    return await assets.get(region, asset.id)


async def machine(account: AwsAccount, cloud: AwsCloud, subnet_id: str | None = None) -> str:
    new = MachineSpec(token=f"test:{uuid4()}", instance_type="t3.micro", subnet_id=subnet_id)
    one = await cloud.machines.create(REGION, new)
    account.settle()
    return one.id


class TestBuckets:
    async def test_a_name_is_not_taken_from_another(self, account, cloud):
        ours, theirs = f"ours-{uuid4()}", f"theirs-{uuid4()}"
        place = {"LocationConstraint": REGION}
        sdk(account.aws, "s3").create_bucket(Bucket=ours, CreateBucketConfiguration=place)
        sdk(account.aws, "s3", 1).create_bucket(Bucket=theirs, CreateBucketConfiguration=place)
        for name in (ours, theirs):
            with pytest.raises(Conflict):
                await cloud.buckets.create(REGION, spec(account, cloud.buckets, name=name))

    async def test_a_new_one_is_private_encrypted_and_deaf_to_plain_http(self, account, cloud):
        bucket = await made(account, cloud.buckets)
        assert bucket.configuration == {
            "name": bucket.id, "versioning": False, "block_public_access": True, "kms_key": None, "require_tls": True
        }  # fmt: skip
        client = sdk(account.aws, "s3")
        policy = bucket_policies.read(client.get_bucket_policy(Bucket=bucket.id)["Policy"])
        theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                  "Resource": f"arn:aws:s3:::{bucket.id}/*"}  # fmt: skip
        client.put_bucket_policy(Bucket=bucket.id, Policy=bucket_policies.write([*policy, theirs]))
        await cloud.buckets.change(REGION, bucket.id, {**bucket.configuration, "require_tls": False})
        assert bucket_policies.read(client.get_bucket_policy(Bucket=bucket.id)["Policy"]) == [theirs]

    async def test_one_that_holds_something_is_not_deleted(self, account, cloud):
        bucket = await made(account, cloud.buckets)
        client = sdk(account.aws, "s3")
        client.put_object(Bucket=bucket.id, Key="dress.jpg", Body=b"white")
        with pytest.raises(Conflict):
            await cloud.buckets.delete(REGION, bucket.id)
        client.delete_object(Bucket=bucket.id, Key="dress.jpg")
        await cloud.buckets.delete(REGION, bucket.id)

    async def test_what_may_not_be_read_of_one_is_left_out_and_named(self, account, cloud):
        bucket = await made(account, cloud.buckets)
        account.aws.fault(match={"action": "GetBucketPolicy"}, status=403, code="AccessDenied")
        found = await cloud.buckets.get(REGION, bucket.id)
        assert found.facts == {"unreadable": ["GetBucketPolicy"]}
        assert found.configuration == {k: v for k, v in bucket.configuration.items() if k != "require_tls"}
        assert found.tags == bucket.tags

    async def test_another_region_does_not_list_it(self, account, cloud):
        bucket = await made(account, cloud.buckets)
        with pytest.raises(NotFound):
            await cloud.buckets.get("us-east-1", bucket.id)
        assert bucket.id not in [each.id async for page in cloud.buckets.pages("us-east-1") for each in page]


class TestNetworks:
    async def test_a_network_in_use_stays_whole_and_goes_with_its_subnets(self, account, cloud):
        network = await made(account, cloud.private_networks, cidr_block="10.9.0.0/24")
        subnets = network.facts["subnets"]
        assert [each["cidr_block"] for each in sorted(subnets, key=lambda each: each["zone"])] == [
            "10.9.0.0/28", "10.9.0.16/28"
        ]  # fmt: skip
        inside = await machine(account, cloud, subnets[0]["id"])
        assert (await cloud.machines.get(REGION, inside)).network_id == network.id
        with pytest.raises(Conflict):
            await cloud.private_networks.delete(REGION, network.id)
        assert await cloud.private_networks.get(REGION, network.id) == network
        await cloud.machines.terminate(REGION, inside)
        account.settle()
        await cloud.private_networks.delete(REGION, network.id)
        left = sdk(account.aws, "ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [network.id]}])
        assert left["Subnets"] == []

    async def test_a_half_made_one_is_completed(self, account, cloud):
        wanted = spec(account, cloud.private_networks, zones=3)
        account.aws.fault(match={"action": "CreateSubnet"}, status=503, code="RequestLimitExceeded")
        with pytest.raises(RateLimited):
            await cloud.private_networks.create(REGION, wanted)
        account.end_faults()
        network = await cloud.private_networks.create(REGION, wanted)
        assert network.configuration["zones"] == 3
        assert account.assets_with(cloud.private_networks, wanted.token) == [network.id]

    async def test_more_zones_than_the_region_has_are_named(self, account, cloud):
        with pytest.raises(InvalidRequest) as caught:
            await cloud.private_networks.create(REGION, spec(account, cloud.private_networks, zones=6))
        assert caught.value.field == "zones"


class TestDatabases:
    async def test_one_in_a_network_stands_on_it_and_its_replica_on_both(self, account, cloud):
        network = await made(account, cloud.private_networks)
        database = await made(account, cloud.databases, network_id=network.id, engine="mariadb")
        assert AssetLink("network", f"network:{network.id}", hard=True) in database.links
        assert database.facts["storage_encrypted"] is True
        assert database.facts["publicly_accessible"] is False
        assert ":secretsmanager:" in database.facts["master_secret"]
        replica = await made(account, cloud.databases, replica_of=database.id)
        assert AssetLink("replica_of", f"database:{database.id}", hard=False) in replica.links
        assert replica.configuration["engine"] == "mariadb"
        assert replica.configuration["replica_of"] == database.id
        with pytest.raises(IncorrectState):
            await cloud.databases.stop(REGION, replica.id)
        with pytest.raises(Conflict):
            await cloud.private_networks.delete(REGION, network.id)
        for each in (replica, database):
            await cloud.databases.delete(REGION, each.id)
            assert (await cloud.databases.get(REGION, each.id)).state is AssetState.DELETING
            account.settle()
        await cloud.private_networks.delete(REGION, network.id)
        assert sdk(account.aws, "rds").describe_db_subnet_groups()["DBSubnetGroups"] == []

    async def test_what_makes_no_sense_is_named_and_what_is_too_early_is_asked_again(self, account, cloud):
        with pytest.raises(InvalidRequest) as caught:
            await cloud.databases.create(REGION, spec(account, cloud.databases, instance_type="db.z9.mega"))
        assert caught.value.field == "instance_type"
        database = await cloud.databases.create(REGION, spec(account, cloud.databases, storage_gib=50))
        assert database.state is AssetState.CREATING
        bigger = {**database.configuration, "storage_gib": 60}
        with pytest.raises(StillWorking):
            await cloud.databases.change(REGION, database.id, bigger)
        account.settle()
        with pytest.raises(InvalidRequest) as caught:
            await cloud.databases.change(REGION, database.id, {**bigger, "storage_gib": 20})
        assert caught.value.field == "storage_gib"

    async def test_a_name_of_another_is_not_taken(self, account, cloud):
        name = f"db-{uuid4().hex[:12]}"
        await made(account, cloud.databases, name=name)
        with pytest.raises(Conflict):
            await cloud.databases.create(REGION, spec(account, cloud.databases, name=name))


class TestLoadBalancers:
    async def test_it_sends_to_machines_and_stands_on_them(self, account, cloud):
        one, other = [await machine(account, cloud) for _ in range(2)]
        balancer = await made(account, cloud.load_balancers, targets=[one])
        assert AssetLink("target", f"machine:{one}", hard=True) in balancer.links
        assert balancer.configuration["port"] == 80
        assert balancer.address.startswith("internal-")
        both = {**balancer.configuration, "targets": sorted([one, other])}
        await cloud.load_balancers.change(REGION, balancer.id, both)
        assert (await cloud.load_balancers.get(REGION, balancer.id)).configuration == both
        await cloud.load_balancers.change(REGION, balancer.id, {**both, "targets": [other]})
        found = await cloud.load_balancers.get(REGION, balancer.id)
        assert [each.target for each in found.links if each.relation == "target"] == [f"machine:{other}"]

    async def test_a_half_made_one_is_completed_and_leaves_nothing(self, account, cloud):
        wanted = spec(account, cloud.load_balancers, load_balancer_type="network", port=5432)
        account.aws.fault(match={"action": "CreateListener"}, status=400, code="Throttling")
        with pytest.raises(RateLimited):
            await cloud.load_balancers.create(REGION, wanted)
        account.end_faults()
        balancer = await cloud.load_balancers.create(REGION, wanted)
        assert balancer.facts["listeners"] == [{"port": 5432, "protocol": "TCP", "certificate": None}]
        assert ":loadbalancer/net/" in balancer.id
        await cloud.load_balancers.delete(REGION, balancer.id)
        assert wanted.token not in {each["tags"].get(TOKEN_TAG) for each in account.aws.assets()}

    async def test_a_name_of_another_is_not_taken(self, account, cloud):
        await made(account, cloud.load_balancers, name="taken")
        with pytest.raises(Conflict):
            await cloud.load_balancers.create(REGION, spec(account, cloud.load_balancers, name="taken"))

    async def test_a_network_without_subnets_has_no_place_for_one(self, account, cloud):
        network = await made(account, cloud.private_networks, zones=0)
        with pytest.raises(InvalidRequest) as caught:
            await cloud.load_balancers.create(REGION, spec(account, cloud.load_balancers, network_id=network.id))
        assert caught.value.field == "network_id"


class TestZones:
    async def test_records_of_others_stay_and_keep_the_zone(self, account, cloud):
        text = {"name": "example.org", "type": "TXT", "values": ["v=spf1 -all"]}
        zone = await made(account, cloud.dns_zones, name="example.org", records=[text])
        assert len(zone.facts["name_servers"]) == 4
        alias = {
            "Name": "www.example.org.",
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": "Z35SXDOTRQ7X7K",
                "DNSName": "dualstack.Web-1.us-west-2.elb.amazonaws.com.",
                "EvaluateTargetHealth": False,
            },
        }
        client = sdk(account.aws, "route53")
        change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": alias}]}
        client.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=change)
        await cloud.dns_zones.change(GLOBAL_REGION, zone.id, {**zone.configuration, "records": []})
        found = await cloud.dns_zones.get(GLOBAL_REGION, zone.id)
        assert found.configuration["records"] == []
        assert found.links == (AssetLink("record", "address:web-1.us-west-2.elb.amazonaws.com", hard=False),)
        with pytest.raises(Conflict, match=r"www\.example\.org"):
            await cloud.dns_zones.delete(GLOBAL_REGION, zone.id)
        change["Changes"][0]["Action"] = "DELETE"
        client.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=change)
        await cloud.dns_zones.delete(GLOBAL_REGION, zone.id)

    async def test_a_private_one_is_known_in_its_network(self, account, cloud):
        network = await made(account, cloud.private_networks)
        zone = await made(account, cloud.dns_zones, name="inside.example", network_id=network.id, network_region=REGION)
        assert zone.configuration["network_id"] == network.id
        assert AssetLink("network", f"network:{network.id}", hard=False) in zone.links


class TestDistributions:
    async def test_one_of_a_bucket_may_read_it_and_goes_in_steps_without_a_trace(self, account, cloud):
        bucket = await made(account, cloud.buckets)
        distribution = await made(account, cloud.distributions, bucket=bucket.id)
        assert distribution.links == (AssetLink("origin", f"storage:{bucket.id}", hard=True),)
        client = sdk(account.aws, "s3")
        statements = bucket_policies.read(client.get_bucket_policy(Bucket=bucket.id)["Policy"])
        [grant] = [each for each in statements if each["Effect"] == "Allow"]
        assert grant["Condition"] == {"StringEquals": {"AWS:SourceArn": distribution.facts["arn"]}}
        for state in (AssetState.STOPPING, AssetState.STOPPED):
            await cloud.distributions.delete(GLOBAL_REGION, distribution.id)
            assert (await cloud.distributions.get(GLOBAL_REGION, distribution.id)).state is AssetState.STOPPING
            if state is AssetState.STOPPED:
                account.settle()
        await cloud.distributions.delete(GLOBAL_REGION, distribution.id)
        with pytest.raises(NotFound):
            await cloud.distributions.get(GLOBAL_REGION, distribution.id)
        statements = bucket_policies.read(client.get_bucket_policy(Bucket=bucket.id)["Policy"])
        assert [each["Sid"] for each in statements] == [bucket_policies.REQUIRE_TLS]

    async def test_a_bucket_that_is_not_there_is_not_found(self, account, cloud):
        with pytest.raises(NotFound):
            await cloud.distributions.create(
                GLOBAL_REGION, spec(account, cloud.distributions, bucket="never-made-bucket")
            )

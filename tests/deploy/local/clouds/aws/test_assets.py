"""Does the simulated AWS answer as AWS does where moto would not: pages, versions, states, names?"""

import pytest


@pytest.mark.parametrize("size", [5, 7])
def test_networks_are_paged_each_once(cloud, size) -> None:
    client = cloud.client("ec2", "eu-west-1")
    made = {client.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(6)}
    pages = list(client.get_paginator("describe_vpcs").paginate(PaginationConfig={"PageSize": size}))
    listed = [each["VpcId"] for page in pages for each in page["Vpcs"]]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))
    assert len(pages) == -(-len(listed) // size)


def test_buckets_are_paged_by_name_within_a_region(cloud) -> None:
    client, place = cloud.client("s3", "eu-west-2"), {"LocationConstraint": "eu-west-2"}
    for name in ("paged-b", "paged-c", "paged-a"):
        client.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    first = client.list_buckets(BucketRegion="eu-west-2", MaxBuckets=2)
    assert [each["Name"] for each in first["Buckets"]] == ["paged-a", "paged-b"]
    second = client.list_buckets(BucketRegion="eu-west-2", MaxBuckets=2, ContinuationToken=first["ContinuationToken"])
    assert [each["Name"] for each in second["Buckets"]] == ["paged-c"]
    assert "ContinuationToken" not in second
    assert client.list_buckets(Prefix="paged-c", BucketRegion="us-east-1")["Buckets"] == []


def test_a_reference_makes_one_zone(cloud, code_of) -> None:
    client = cloud.client("route53")
    client.create_hosted_zone(Name="once.example", CallerReference="once")
    assert (
        code_of(lambda: client.create_hosted_zone(Name="once.example", CallerReference="once"))
        == "HostedZoneAlreadyExists"
    )


def test_a_call_of_a_rest_service_is_known_by_its_name(cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="named-bucket")
    cloud.client("route53").list_hosted_zones()
    counts = {(row["service"], row["action"]) for row in cloud.ask("GET", "/_sim/calls")["calls"]}
    assert {("s3", "CreateBucket"), ("route53", "ListHostedZones")} <= counts
    [entry] = [each for each in cloud.ask("GET", "/_sim/ledger")["entries"] if "named-bucket" in str(each)]
    assert (entry["action"], entry["parameters"]["Bucket"]) == ("CreateBucket", "named-bucket")

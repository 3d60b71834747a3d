"""What exists in the simulated AWS besides machines and their disks? The simulator's own list, as its tests read it."""

from collections.abc import Callable, Iterator
from typing import Any

Row = dict[str, Any]
Backends = Callable[[str], list[tuple[str, str, Any]]]
"""(account, region, backend) of every backend of a service."""


def describe_assets(backends: Backends) -> list[Row]:
    """Each with its kind, as the product calls it."""
    return [
        {"kind": kind, "id": identifier, "account": account_id, "region": region, "tags": tags}
        for service, described in _KINDS
        for account_id, place, backend in backends(service)
        for kind, identifier, region, tags in described(place, backend)
    ]


Described = Iterator[tuple[str, str, str, dict[str, str]]]


def _buckets(_: str, backend: Any) -> Described:
    for bucket in backend.buckets.values():
        yield "s3_bucket", bucket.name, bucket.region_name, backend.tagger.get_tag_dict_for_resource(bucket.arn)


def _networks(region: str, backend: Any) -> Described:
    for network in backend.vpcs.values():
        yield "vpc", network.id, region, {each["key"]: each["value"] for each in network.get_tags()}


def _databases(region: str, backend: Any) -> Described:
    for database in backend.databases.values():
        tags = {each["Key"]: each["Value"] for each in database.tags}
        yield "rds_instance", database.db_instance_arn, region, tags


def _load_balancers(region: str, backend: Any) -> Described:
    for each in (*backend.load_balancers.values(), *backend.target_groups.values()):
        kind = "load_balancer" if ":loadbalancer/" in each.arn else "target_group"
        yield kind, each.arn, region, backend.tagging_service.get_tag_dict_for_resource(each.arn)


def _zones(_: str, backend: Any) -> Described:
    for zone in backend.zones.values():
        yield "route53_zone", zone.resource_id, "global", dict(backend.list_tags_for_resource(zone.resource_id))


def _distributions(_: str, backend: Any) -> Described:
    for each in backend.distributions.values():
        tags = backend.tagger.get_tag_dict_for_resource(each.arn)
        yield "cloudfront_distribution", each.distribution_id, "global", tags


_KINDS: tuple[tuple[str, Callable[[str, Any], Described]], ...] = (
    ("s3", _buckets),
    ("ec2", _networks),
    ("rds", _databases),
    ("elbv2", _load_balancers),
    ("route53", _zones),
    ("cloudfront", _distributions),
)

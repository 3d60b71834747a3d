"""How do the tests of AWS reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar
from uuid import uuid4

import pytest

from shared.clouds.assets import Assets
from shared.clouds.aws.cloud import AwsCloud
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.models import TOKEN_TAG, Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedAws
from tests.shared.clouds.conformance_assets import Sample

REFUSALS = {
    NoCapacity: (500, "InsufficientInstanceCapacity"),
    QuotaExceeded: (400, "VcpuLimitExceeded"),
    RateLimited: (503, "RequestLimitExceeded"),
    PermissionDenied: (403, "UnauthorizedOperation"),
}

ASSET_REFUSALS = {
    QuotaExceeded: (400, "LimitExceeded"),
    RateLimited: (400, "Throttling"),
    PermissionDenied: (403, "AccessDenied"),
}
CREATES = {
    "s3_bucket": "CreateBucket",
    "vpc": "CreateVpc",
    "rds_instance": "CreateDBInstance",
    "load_balancer": "CreateLoadBalancer",
    "route53_zone": "CreateHostedZone",
    "cloudfront_distribution": "CreateDistributionWithTags",
}
"""The call that makes a thing of each kind."""


def bucket(_: "AwsAccount", number: int) -> Sample:
    given = {"name": f"canopy-test-{number}-{uuid4().hex[:12]}"} if number % 2 else {}
    return Sample(given, "canopy-never-made", {"versioning": True, "require_tls": False})


def private_network(_: "AwsAccount", number: int) -> Sample:
    return Sample({"cidr_block": f"10.{number % 256}.0.0/24"}, "vpc-0123456789abcdef0", {"dns_hostnames": False})


def database(_: "AwsAccount", number: int) -> Sample:
    given = {"name": f"test-{number}"} if number % 2 else {}
    change = {"instance_type": "db.t4g.small", "storage_gib": 30, "backup_retention_days": 14}
    return Sample(given, "arn:aws:rds:us-east-1:123456789012:db:never-made", change)


def load_balancer(_: "AwsAccount", number: int) -> Sample:
    given = {"name": f"test-{number}"} if number % 2 else {"port": 8080}
    unknown = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/never-made/0123456789abcdef"
    return Sample(given, unknown, {"health_check_path": "/health"})


def dns_zone(_: "AwsAccount", number: int) -> Sample:
    records = [{"name": "www.example.com", "type": "A", "values": ["192.0.2.1"], "ttl_s": 60}]
    changed = [
        {"name": "example.com", "type": "TXT", "values": ["v=spf1 -all"], "ttl_s": 300},
        {"name": "www.example.com", "type": "A", "values": ["192.0.2.1", f"192.0.2.{2 + number % 250}"], "ttl_s": 60},
    ]
    return Sample({"name": "example.com", "records": records}, "Z0123456789ABCDEFGHIJ", {"records": changed})


def distribution(_: "AwsAccount", number: int) -> Sample:
    change = {"default_root_object": "index.html", "price_class": "PriceClass_All", "cache": "disabled"}
    return Sample({"origin": f"origin-{number}.example.com"}, "E0123456789ABC", change)


SAMPLES: Mapping[str, Callable[["AwsAccount", int], Sample]] = {
    "s3_bucket": bucket,
    "vpc": private_network,
    "rds_instance": database,
    "load_balancer": load_balancer,
    "route53_zone": dns_zone,
    "cloudfront_distribution": distribution,
}


class AwsAccount:
    """The simulated AWS as `tests.shared.clouds.account_under_test.AccountUnderTest`."""

    region = "us-east-1"
    other_region = "us-west-2"
    instance_type = "t3.micro"
    other_instance_type = "t3.small"
    unknown_machine_id = "i-0123456789abcdef0"
    compute = ("compute", "ec2_instance")
    permissions: ClassVar = {
        "create": "ec2:RunInstances",
        "start": "ec2:StartInstances",
        "stop": "ec2:StopInstances",
        "resize": "ec2:ModifyInstanceAttribute",
        "tag": "ec2:CreateTags",
        "terminate": "ec2:TerminateInstances",
    }

    def __init__(self, aws: SimulatedAws) -> None:
        self.aws = aws
        self.credentials = aws.credentials()
        self.reader, self.lapsed = aws.credentials(2), aws.credentials(3)
        self.catalog = catalog_of("aws")
        self.cloud = self.open_with(self.credentials)

    def open_with(self, credentials: Credentials) -> Cloud:
        return open_cloud("aws", credentials, self.aws.settings())

    def settle(self) -> None:
        self.aws.advance()

    def lose_answer_of_create(self) -> None:
        self.aws.fault(match={"action": "RunInstances"}, reset=True, after=True, count=2)

    def refuse_create(self, error: type[CloudError]) -> None:
        status, code = REFUSALS[error]
        self.aws.fault(match={"action": "RunInstances"}, status=status, code=code)

    def throttle(self, retry_after_s: float | None) -> None:
        more = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
        self.aws.fault(status=503, code="RequestLimitExceeded", **more)

    def lose_region(self, region: str) -> None:
        self.aws.fault(match={"region": region}, status=503, code="ServiceUnavailable")

    def end_faults(self) -> None:
        self.aws.clear_faults()

    def machines_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.aws.machines() if each["tags"].get(TOKEN_TAG) == token]

    def snapshots_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.aws.snapshots() if each["tags"].get(TOKEN_TAG) == token]

    def sample(self, assets: Assets, number: int) -> Sample:
        return SAMPLES[assets.resource_subtype](self, number)

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        kind = assets.resource_subtype
        return [
            each["id"] for each in self.aws.assets() if (each["kind"], each["tags"].get(TOKEN_TAG)) == (kind, token)
        ]

    def lose_next_answer(self, assets: Assets) -> None:
        self.aws.fault(match={"action": CREATES[assets.resource_subtype]}, reset=True, after=True, count=1)

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        status, code = ASSET_REFUSALS[error]
        self.aws.fault(match={"action": CREATES[assets.resource_subtype]}, status=status, code=code)


@pytest.fixture
async def account(simulated_aws: SimulatedAws) -> AsyncIterator[AwsAccount]:
    account = AwsAccount(simulated_aws)
    yield account
    await account.cloud.close()


@pytest.fixture
def cloud(account: AwsAccount) -> AwsCloud:
    assert isinstance(account.cloud, AwsCloud)
    return account.cloud

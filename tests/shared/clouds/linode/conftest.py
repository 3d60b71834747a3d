"""How do the tests of Linode reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import ClassVar
from uuid import uuid4

import pytest

from shared.clouds.assets import Assets
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.linode.cloud import LinodeCloud
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.conformance_assets import Sample
from tests.shared.clouds.libcloud.account import TokenAccount

KINDS = {
    "vpc": ("vpc", "vpcs.create"),
    "volume": ("volume", "volumes.create"),
    "nodebalancer": ("nodebalancer", "nodebalancers.create"),
    "domain": ("domain", "domains.create"),
    "managed_database": ("database", "databases.create"),
    "object_storage_bucket": ("bucket", "buckets.create"),
}
"""Of each subtype: the simulator's word, and the call that makes it."""


def vpc(number: int) -> Sample:
    hall = {"name": f"hall-{number}", "ip_range": f"10.{number % 200}.0.0/24"}
    yard = {"name": "yard", "ip_range": "172.16.0.0/20"}
    given = {"subnets": [hall, yard]} if number % 2 else {}
    wider = {**hall, "ip_range": f"10.{number % 200}.0.0/20"}
    return Sample(given, "123456789", {"subnets": [wider, {"name": "aisle", "ip_range": "172.16.0.0/24"}][::-1]})


def volume(number: int) -> Sample:
    return Sample({"size_gib": 10} if number % 2 else {}, "123456789", {"size_gib": 30})


def nodebalancer(number: int) -> Sample:
    web = {"port": 80, "protocol": "http", "stickiness": "table", "health_check": {"kind": "http", "path": "/ready"}}
    check = {"kind": "none", "path": "/", "interval_s": 10, "timeout_s": 5, "attempts": 3}
    changed = {"port": 80, "protocol": "tcp", "algorithm": "source", "stickiness": "none", "health_check": check,
               "backends": []}  # fmt: skip
    given = {"listeners": [web, {"port": 443}]} if number % 2 else {}
    change = {"connections_per_second_max": 5, "listeners": [changed, {**changed, "port": 8080}]}
    return Sample(given, "123456789", change)


def domain(number: int) -> Sample:
    records = [
        {"name": "@", "type": "MX", "values": ["10 mail.example.com"], "ttl_s": 300},
        {"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 120},
    ]
    changed = [
        {**records[0], "ttl_s": 3600},
        {"name": "www", "type": "CNAME", "values": ["example.com"], "ttl_s": 0},
        {"name": "www2", "type": "TXT", "values": ['say "yes"', "x" * 300], "ttl_s": 300},
    ]
    given = {"zone_name": f"wedding-{number}.example", "records": records if number % 2 else []}
    return Sample(given, "123456789", {"soa_email": "dns@example.com", "records": changed})


def database(number: int) -> Sample:
    given = {"engine": "mysql", "cluster_size": 3, "allow_list": ["192.0.2.1"]} if number % 2 else {}
    change = {"instance_type": "g6-standard-2", "cluster_size": 2, "allow_list": ["198.51.100.0/24", "2001:db8::/32"]}
    return Sample(given, "postgresql/123456789", change)


def bucket(number: int) -> Sample:
    return Sample({}, "us-east/canopy-never-made", {"cors": bool(number)})


SAMPLES: dict[str, Callable[[int], Sample]] = {
    "vpc": vpc,
    "volume": volume,
    "nodebalancer": nodebalancer,
    "domain": domain,
    "managed_database": database,
    "object_storage_bucket": bucket,
}


class LinodeAccount(TokenAccount):
    provider = "linode"
    region = "us-east"
    other_region = "eu-central"
    instance_type = "g6-nanode-1"
    other_instance_type = "g6-standard-2"
    unknown_machine_id = "3164494"
    compute = ("compute", "linode")
    create_action = "instances.create"
    list_action = "instances.list"
    capture_action = "images.create"
    page_size = 25
    refusals: ClassVar = {
        NoCapacity: (400, "no_capacity"),
        QuotaExceeded: (400, "quota"),
        RateLimited: (429, ""),
        PermissionDenied: (403, ""),
    }

    def sample(self, assets: Assets, number: int) -> Sample:
        return SAMPLES[assets.resource_subtype](number)

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        kind, _ = KINDS[assets.resource_subtype]
        if kind == "volume":
            return [each["id"] for each in self.simulated.volumes() if each["token"] == token]
        return [each["id"] for each in self.simulated.assets() if each["token"] == token and each["kind"] == kind]

    def keeps_tags(self, assets: Assets) -> bool:
        return assets.resource_subtype not in {"managed_database", "object_storage_bucket"}

    def token_for(self, assets: Assets) -> str:
        """A saga's tokens are UUIDs: so much a label can say where there are no tags."""
        return new_token() if self.keeps_tags(assets) else str(uuid4())

    def lose_next_answer(self, assets: Assets) -> None:
        self.lose_answer_of(KINDS[assets.resource_subtype][1])

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        status, code = self.refusals[error]
        self._fault(match={"action": KINDS[assets.resource_subtype][1]}, status=status, code=code, retry_after_s=60)


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[LinodeAccount]:
    simulated = simulated_world["linode"]
    simulated.clear_faults()
    account = LinodeAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()


@pytest.fixture
def cloud(account: LinodeAccount) -> LinodeCloud:
    assert isinstance(account.cloud, LinodeCloud)
    return account.cloud

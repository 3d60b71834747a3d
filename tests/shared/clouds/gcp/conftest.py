"""How do the tests of Google Cloud reach an account and make things go wrong there?"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from deploy.local.clouds.gcp.accounts import new_key
from shared.clouds.assets import Assets, AssetSpec
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.gcp.cloud import GcpCloud
from shared.clouds.models import Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.conformance_assets import Sample

REFUSALS = {
    NoCapacity: {"fail_operation": True, "code": "ZONE_RESOURCE_POOL_EXHAUSTED"},
    QuotaExceeded: {"fail_operation": True, "code": "QUOTA_EXCEEDED"},
    RateLimited: {"status": 403, "code": "rateLimitExceeded"},
    PermissionDenied: {"status": 403},
}

REST_REFUSALS = {**REFUSALS, QuotaExceeded: {"status": 403, "code": "quotaExceeded"}}
"""Of what answers with the thing itself, and not with an operation of Compute Engine."""
KINDS = {
    "gcs_bucket": ("bucket", "storage.buckets.insert", REST_REFUSALS),
    "vpc_network": ("network", "networks.insert", REFUSALS),
    "cloud_sql_instance": ("sql_instance", "sql.instances.insert", REST_REFUSALS),
    "network_load_balancer": ("forwarding_rule", "forwardingRules.insert", REFUSALS),
    "application_load_balancer": ("global_forwarding_rule", "globalForwardingRules.insert", REFUSALS),
    "cloud_cdn": ("global_forwarding_rule", "globalForwardingRules.insert", REFUSALS),
    "cloud_dns_zone": ("dns_zone", "dns.managedZones.create", REST_REFUSALS),
}
"""Of each subtype: the simulator's word, the call that makes it, and how that is refused."""


class GcpAccount:
    """The simulated Google Cloud as `tests.shared.clouds.account_under_test.AccountUnderTest`."""

    region = "us-central1"
    other_region = "europe-west1"
    instance_type = "e2-micro"
    other_instance_type = "e2-small"
    unknown_machine_id = "zones/us-central1-a/instances/no-such-machine"
    compute = ("compute", "gce_instance")
    permissions: ClassVar = {
        "create": "compute.instances.create",
        "start": "compute.instances.start",
        "stop": "compute.instances.stop",
        "resize": "compute.instances.setMachineType",
        "tag": "compute.instances.set",
        "terminate": "compute.instances.delete",
    }

    def __init__(self, gcp: SimulatedCloud, wrong_key: str) -> None:
        self.gcp = gcp
        self.credentials = gcp.credentials()
        self.reader, self.lapsed = gcp.credentials(2), gcp.credentials(3)
        self.wrong_credentials = Credentials({"project_id": "wrong-project", "service_account_key": wrong_key})
        self.catalog = catalog_of("gcp")
        self.cloud = self.open_with(self.credentials)

    def open_with(self, credentials: Credentials) -> Cloud:
        return open_cloud("gcp", credentials, self.gcp.settings())

    def settle(self) -> None:
        self.gcp.advance()

    def lose_answer_of_create(self) -> None:
        self.gcp.fault(match={"service": "gcp", "action": "instances.insert"}, reset=True, after=True, count=2)

    def refuse_create(self, error: type[CloudError]) -> None:
        self.gcp.fault(match={"service": "gcp", "action": "instances.insert"}, **REFUSALS[error])

    def throttle(self, retry_after_s: float | None) -> None:
        more = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
        self.gcp.fault(match={"service": "gcp"}, status=429, code="rateLimitExceeded", **more)

    def lose_region(self, region: str) -> None:
        self.gcp.fault(match={"service": "gcp", "region": region}, status=503)

    def end_faults(self) -> None:
        self.gcp.clear_faults()

    def machines_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.gcp.machines() if each["token"] == token]

    def snapshots_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.gcp.snapshots() if each["token"] == token]

    def sample(self, assets: Assets, number: int) -> Sample:
        return SAMPLES[assets.resource_subtype](number)

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        kind, _, _ = KINDS[assets.resource_subtype]
        found = [each["id"] for each in self.gcp.assets() if each["token"] == token and each["kind"] == kind]
        return [f"projects/{self.credentials['project_id']}/{each}" for each in found] if kind == "network" else found

    def lose_next_answer(self, assets: Assets) -> None:
        _, action, _ = KINDS[assets.resource_subtype]
        self.gcp.fault(match={"service": "gcp", "action": action}, reset=True, after=True, count=2)

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        _, action, refusals = KINDS[assets.resource_subtype]
        self.gcp.fault(match={"service": "gcp", "action": action}, **refusals[error])


def bucket(number: int) -> Sample:
    given = {"name": f"canopy-conformance-{number}", "location": "EUROPE-WEST1"} if number % 2 else {}
    return Sample(given, "canopy-never-made", {"storage_class": "NEARLINE", "versioning": True, "soft_delete_days": 0})


def network(number: int) -> Sample:
    part = {"name": f"hall-{number}", "region": "us-central1", "ip_range": f"10.{number % 200}.0.0/24"}
    other = {"name": f"yard-{number}", "region": "us-east1", "ip_range": "172.16.0.0/20"}
    given = {"subnet_mode": "custom", "subnets": [part]} if number % 2 else {}
    grown = {"subnets": [{**part, "ip_range": f"10.{number % 200}.0.0/20"}, other]} if given else {}
    unknown = "projects/test-project/global/networks/never-made"
    return Sample(given, unknown, {"routing_mode": "GLOBAL", "internal_traffic": False, **grown})


def database(number: int) -> Sample:
    given = {"engine": "mysql", "instance_type": "db-custom-1-3840", "backups": False} if number % 2 else {}
    change = {"instance_type": "db-custom-2-7680", "storage_gib": 20, "high_availability": True, "backups": True}
    return Sample(given, "canopy-never-made", change)


def load_balancer(number: int) -> Sample:
    given = {"protocol": "udp", "port": 53, "session_affinity": "CLIENT_IP"} if number % 2 else {}
    change = {"health_check": {"port": 8080, "path": "/ready", "interval_s": 10}}
    return Sample(given, "regions/us-central1/forwardingRules/never-made", change)


def application_balancer(number: int) -> Sample:
    given = {"domains": [f"www-{number}.example.com"], "target_port": 8080} if number % 2 else {}
    check = {"port": None if number % 2 else 9000, "path": "/ready", "interval_s": 10}
    change = {"target_port": 8000, "health_check": check, "session_affinity": "GENERATED_COOKIE"}
    return Sample(given, "global/forwardingRules/never-made", change)


def distribution(number: int) -> Sample:
    """One before a server by its name with a domain, one before an address."""
    named = {"origin": "photos.example.com", "domains": [f"cdn-{number}.example.com"], "default_ttl_s": 60}
    given = named if number % 2 else {"origin": "34.64.0.1", "origin_protocol": "http"}
    change = {"cache": "origin_headers", "default_ttl_s": None, "compression": False}
    return Sample(given, "global/forwardingRules/never-made", change)


def dns_zone(number: int) -> Sample:
    records = [
        {"name": "@", "type": "MX", "values": ["10 mail.example.com"], "ttl_s": 300},
        {"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 60},
    ]
    changed = [
        {**records[0], "ttl_s": 600},
        {"name": "www", "type": "CNAME", "values": ["example.com"], "ttl_s": 60},
        {"name": "www2", "type": "TXT", "values": ['say "yes"', "x" * 300], "ttl_s": 60},
    ]
    given = {"zone_name": f"wedding-{number}.example", "records": records if number % 2 else []}
    return Sample(given, "never-made", {"records": changed})


SAMPLES: dict[str, Callable[[int], Sample]] = {
    "gcs_bucket": bucket,
    "vpc_network": network,
    "cloud_sql_instance": database,
    "network_load_balancer": load_balancer,
    "application_load_balancer": application_balancer,
    "cloud_cdn": distribution,
    "cloud_dns_zone": dns_zone,
}


@pytest.fixture(scope="session")
def wrong_key() -> str:
    """A sound key of an account that Google does not know."""
    return json.dumps(new_key("stranger", "wrong-project"))


@pytest.fixture
def gcp(simulated_world: dict[str, SimulatedCloud]) -> Iterator[SimulatedCloud]:
    """The simulated Google Cloud without anybody's faults."""
    simulated_world["gcp"].clear_faults()
    yield simulated_world["gcp"]
    simulated_world["gcp"].clear_faults()


@pytest.fixture
async def account(gcp: SimulatedCloud, wrong_key: str) -> AsyncIterator[GcpAccount]:
    account = GcpAccount(gcp, wrong_key)
    yield account
    await account.cloud.close()


@pytest.fixture
def cloud(account: GcpAccount) -> GcpCloud:
    assert isinstance(account.cloud, GcpCloud)
    return account.cloud


@pytest.fixture
def spec(account: GcpAccount) -> Callable[..., AssetSpec]:
    """A new thing's, with this configuration."""

    def spec_of(assets: Assets, token: str = "", **configuration: Any) -> AssetSpec:
        kind = (assets.resource_type, assets.resource_subtype)
        return AssetSpec(token or new_token(), account.catalog.configuration(*kind, configuration))

    return spec_of


@pytest.fixture
def rest(cloud: GcpCloud) -> Callable[..., Any]:
    """Compute Engine past the adapters: what somebody else does in the project."""

    async def ask(http_method: str, path: str, body: Any = None) -> Any:
        project = cloud._client.project
        return await cloud._client.rest("compute", "test.test", http_method, f"/projects/{project}/{path}", body=body)

    return ask

"""How do the tests of Google Cloud reach an account and make things go wrong there?"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import ClassVar

import pytest

from deploy.local.clouds.gcp.accounts import new_key
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.gcp.cloud import GcpCloud
from shared.clouds.models import Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedCloud

REFUSALS = {
    NoCapacity: {"fail_operation": True, "code": "ZONE_RESOURCE_POOL_EXHAUSTED"},
    QuotaExceeded: {"fail_operation": True, "code": "QUOTA_EXCEEDED"},
    RateLimited: {"status": 403, "code": "rateLimitExceeded"},
    PermissionDenied: {"status": 403},
}


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

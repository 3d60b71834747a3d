"""How do the tests of Azure reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import ClassVar

import pytest

from shared.clouds.azure.cloud import AzureCloud
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.models import Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedCloud

CREATE = "virtual_machines.create_or_update"
REFUSALS = {
    NoCapacity: (409, "no_capacity"),
    QuotaExceeded: (409, "quota"),
    RateLimited: (429, "throttled"),
    PermissionDenied: (403, "forbidden"),
}


class AzureAccount:
    """The simulated Azure as `tests.shared.clouds.account_under_test.AccountUnderTest`."""

    region = "eastus"
    other_region = "westus2"
    instance_type = "Standard_B1s"
    other_instance_type = "Standard_B2s"
    compute = ("compute", "virtual_machine")
    permissions: ClassVar = {
        "create": "Microsoft.",
        "start": "Microsoft.Compute/virtualMachines/start/action",
        "stop": "Microsoft.Compute/virtualMachines/deallocate/action",
        "resize": "Microsoft.Compute/virtualMachines/write",
        "tag": "Microsoft.",
        "terminate": "Microsoft.",
    }

    def __init__(self, azure: SimulatedCloud) -> None:
        self.azure = azure
        self.credentials = azure.credentials()
        self.reader, self.lapsed = azure.credentials(2), azure.credentials(3)
        self.catalog = catalog_of("azure")
        self.cloud = self.open_with(self.credentials)
        self.unknown_machine_id = (
            f"/subscriptions/{self.credentials['subscription_id']}/resourceGroups/canopy-{self.other_region}"
            "/providers/Microsoft.Compute/virtualMachines/canopy-0123456789abcdef"
        )

    def open_with(self, credentials: Credentials) -> Cloud:
        return open_cloud("azure", credentials, self.azure.settings())

    def settle(self) -> None:
        self.azure.advance()

    def lose_answer_of_create(self) -> None:
        self.azure.fault(match={"service": "azure", "action": CREATE}, reset=True, after=True, count=2)

    def refuse_create(self, error: type[CloudError]) -> None:
        status, code = REFUSALS[error]
        self.azure.fault(match={"service": "azure", "action": CREATE}, status=status, code=code)

    def throttle(self, retry_after_s: float | None) -> None:
        more = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
        self.azure.fault(match={"service": "azure"}, status=429, code="throttled", **more)

    def lose_region(self, region: str) -> None:
        self.azure.fault(match={"service": "azure", "region": region}, status=503, code="unavailable")

    def end_faults(self) -> None:
        self.azure.clear_faults()

    def machines_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.azure.machines() if each["token"] == token]

    def snapshots_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.azure.snapshots() if each["token"] == token]


@pytest.fixture
def simulated_azure(simulated_world: dict[str, SimulatedCloud]) -> Iterator[SimulatedCloud]:
    """The simulated Azure without anybody's faults."""
    simulated_world["azure"].clear_faults()
    yield simulated_world["azure"]
    simulated_world["azure"].clear_faults()


@pytest.fixture
async def account(simulated_azure: SimulatedCloud) -> AsyncIterator[AzureAccount]:
    account = AzureAccount(simulated_azure)
    yield account
    await account.cloud.close()


@pytest.fixture
def cloud(account: AzureAccount) -> AzureCloud:
    assert isinstance(account.cloud, AzureCloud)
    return account.cloud

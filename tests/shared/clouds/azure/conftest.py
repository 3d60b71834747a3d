"""How do the tests of Azure reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import ClassVar

import pytest

from shared.clouds.assets import Assets
from shared.clouds.azure.cloud import AzureCloud
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.models import Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.conformance_assets import Sample

CREATE = "virtual_machines.create_or_update"
KINDS = {
    "virtual_network": ("Microsoft.Network/virtualNetworks", "virtual_networks.create_or_update"),
    "load_balancer": ("Microsoft.Network/loadBalancers", "load_balancers.create_or_update"),
    "front_door": ("Microsoft.Cdn/profiles", "profiles.create"),
    "dns_zone": ("Microsoft.Network/dnszones", "zones.create_or_update"),
    "sql_database": ("Microsoft.Sql/servers/databases", "databases.create_or_update"),
    "storage_account": ("Microsoft.Storage/storageAccounts", "storage_accounts.create"),
}
"""Of each subtype: the type at Azure, and the operation that makes it."""
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
    spot_instance_type = "Standard_D2s_v5"  # the B series is not sold as spot
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

    def sample(self, assets: Assets, number: int) -> Sample:
        return SAMPLES[assets.resource_subtype](self, number)

    def id_of(self, subtype: str, name: str, region: str) -> str:
        group = f"/subscriptions/{self.credentials['subscription_id']}/resourceGroups/canopy-{region}"
        return f"{group}/providers/{KINDS[subtype][0]}/{name}"

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        kind, _ = KINDS[assets.resource_subtype]
        return [each["id"] for each in self.azure.assets() if each["token"] == token and each["kind"] == kind]

    def lose_next_answer(self, assets: Assets) -> None:
        _, action = KINDS[assets.resource_subtype]
        self.azure.fault(match={"service": "azure", "action": action}, reset=True, after=True, count=2)

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        (status, code), (_, action) = REFUSALS[error], KINDS[assets.resource_subtype]
        self.azure.fault(match={"service": "azure", "action": action}, status=status, code=code)

    def snapshots_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.azure.snapshots() if each["token"] == token]


def _account(account: AzureAccount, number: int) -> Sample:
    unknown = account.id_of("storage_account", "canopy0123456789abcdef01", account.region)
    changes = {"access_tier": "Cool", "versioning": True, "soft_delete_days": 30, "shared_key_access": True}
    named = {"account_name": f"conformance{number}"} if number % 2 else {}
    return Sample(named, unknown, changes)


def _network(account: AzureAccount, number: int) -> Sample:
    prefix = f"10.{number % 200}.0.0/16"
    parts = [{"name": "first", "address_prefix": f"10.{number % 200}.0.0/24"}]
    more = [*parts, {"name": "second", "address_prefix": "172.16.3.0/24"}]
    changes = {"address_prefixes": [prefix, "172.16.0.0/16"], "subnets": more, "dns_servers": ["10.0.0.4"]}
    given = {"address_prefixes": [prefix], "subnets": parts} if number % 2 else {}
    return Sample(given, account.id_of("virtual_network", "hall", account.region), changes)


def _database(account: AzureAccount, number: int) -> Sample:
    group = f"/subscriptions/{account.credentials['subscription_id']}/resourceGroups/canopy-{account.region}"
    unknown = f"{group}/providers/Microsoft.Sql/servers/canopy-0123456789abcdef/databases/main"
    given = {"instance_type": "GP_Gen5_2", "storage_gib": 64} if number % 2 else {}
    changes = {"instance_type": "GP_Gen5_4", "storage_gib": 128, "zone_redundant": True, "backup_redundancy": "Zone"}
    return Sample(given, unknown, changes)


def _balancer(account: AzureAccount, number: int) -> Sample:
    listeners = [
        {"protocol": "tcp", "port": 443, "target_port": 8443},
        {"protocol": "udp", "port": 53, "target_port": 53},
    ]
    check = {"protocol": "http", "port": 8080, "path": "/ready", "interval_s": 5}
    given = {"public": True, "listeners": listeners} if number % 2 else {}
    changes = {
        "listeners": [*listeners[:1], {"protocol": "tcp", "port": 80, "target_port": 8080}],
        "health_check": check,
    }
    changes["listeners"] = sorted(changes["listeners"], key=lambda each: each["port"])
    return Sample(given, account.id_of("load_balancer", "doorman", account.region), changes)


def _zone(account: AzureAccount, number: int) -> Sample:
    records = [
        {"name": "@", "type": "MX", "values": ["10 mail.example.com"], "ttl_s": 300, "target_id": None},
        {"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 60, "target_id": None},
    ]
    changed = [{**records[0], "ttl_s": 600}, {**records[1], "type": "CNAME", "values": ["example.com"]}]
    given = {"zone_name": f"wedding-{number}.example", "records": records if number % 2 else []}
    return Sample(given, account.id_of("dns_zone", "unknown.example", "global"), {"records": changed})


def _front_door(account: AzureAccount, number: int) -> Sample:
    """One before a server by its name with a domain, one before an address."""
    named = {"origin": "photos.example.com", "origin_path": "/albums", "domains": [f"cdn-{number}.example.com"]}
    given = named if number % 2 else {"origin": "20.0.0.1", "origin_protocol": "http"}
    changes = {"cache": "disabled", "origin_path": "/new", "domains": [f"new-{number}.example.com", "www.example.com"]}
    return Sample(given, account.id_of("front_door", "doorman", "global"), changes)


SAMPLES: dict[str, Callable[[AzureAccount, int], Sample]] = {
    "sql_database": _database,
    "load_balancer": _balancer,
    "dns_zone": _zone,
    "front_door": _front_door,
    "storage_account": _account,
    "virtual_network": _network,
}


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

"""How is a real account held to the suite, when somebody gives its credentials for that?

`CANOPY_REAL_<PROVIDER>_CREDENTIALS` (JSON, as `credentials_config` takes it) names the account; it should be one that
nothing else lives in. Machines are of the provider's smallest type, carry our token tag, are never more than
`MACHINES_MAX` at once, and are terminated after each test, also those that an earlier run left. What only a simulated
cloud can be made to do (a lost answer, a lost region, throttling) is skipped.
"""

import asyncio
import json
import os
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from shared.clouds.capabilities import Cloud, machines_of
from shared.clouds.errors import CloudError
from shared.clouds.models import Credentials, Machine, MachineState
from shared.clouds.registry import catalog_of, open_cloud
from shared.clouds.settings import CloudSettings

PREFIX = "test:"
"""How the tokens of the suite begin: `account_under_test.new_token`."""
MACHINES_MAX = 10
PRICE_USD_PER_HOUR_MAX = 0.02
"""Of one machine; with MACHINES_MAX the suite costs less than 0.20 USD an hour."""
SETTLE_S = 900.0
_MOVING = (MachineState.PENDING, MachineState.STOPPING, MachineState.SHUTTING_DOWN)
_GONE = (MachineState.SHUTTING_DOWN, MachineState.TERMINATED)


@dataclass(frozen=True)
class Place:
    """Where and what the suite makes at a provider; the price is the list price of `instance_type` there."""

    region: str
    other_region: str
    instance_type: str
    other_instance_type: str
    price_usd_per_hour: float
    subtype: str
    unknown_machine_id: str
    forgets_terminated: bool = True


_AZURE_UNKNOWN = (
    "/subscriptions/{subscription_id}/resourceGroups/canopy-westus2"
    "/providers/Microsoft.Compute/virtualMachines/canopy-0123456789abcdef"
)
PLACES = {
    "aws": Place("us-east-1", "us-west-2", "t3.nano", "t3.micro", 0.0052, "ec2_instance", "i-0123456789abcdef0",
                 forgets_terminated=False),
    "azure": Place("eastus", "westus2", "Standard_B1s", "Standard_B1ms", 0.0104, "virtual_machine", _AZURE_UNKNOWN,
                   forgets_terminated=False),
    "digitalocean": Place("nyc3", "ams3", "s-1vcpu-512mb-10gb", "s-1vcpu-1gb", 0.00595, "droplet", "1"),
    "gcp": Place("us-central1", "europe-west1", "e2-micro", "e2-small", 0.0084, "gce_instance",
                 "zones/us-central1-a/instances/no-such-machine", forgets_terminated=False),
    "linode": Place("us-east", "eu-west", "g6-nanode-1", "g6-standard-1", 0.0075, "linode", "1"),
    "vultr": Place("ewr", "ams", "vc2-1c-1gb", "vc2-1c-2gb", 0.007, "vultr_instance",
                   "00000000-0000-4000-8000-000000000000"),
}  # fmt: skip


def variable_of(provider: str) -> str:
    return f"CANOPY_REAL_{provider.upper()}_CREDENTIALS"


def is_given(provider: str) -> bool:
    return bool(os.environ.get(variable_of(provider)))


class RealAccount:
    """A real account as `tests.shared.clouds.account_under_test.AccountUnderTest`."""

    patience_s = SETTLE_S

    def __init__(self, provider: str) -> None:
        place = PLACES[provider]
        assert place.price_usd_per_hour <= PRICE_USD_PER_HOUR_MAX
        self.provider = provider
        self.catalog = catalog_of(provider)
        self.credentials = self.catalog.credentials(json.loads(os.environ[variable_of(provider)]))
        self.region, self.other_region = place.region, place.other_region
        self.instance_type, self.other_instance_type = place.instance_type, place.other_instance_type
        self.unknown_machine_id = place.unknown_machine_id.format_map(dict(self.credentials))
        self.compute = ("compute", place.subtype)
        self.forgets_terminated = place.forgets_terminated
        self.cloud = self.open_with(self.credentials)

    def open_with(self, credentials: Credentials) -> Cloud:
        return open_cloud(self.provider, credentials, CloudSettings())

    def settle(self) -> None:
        """Wait until nothing that the suite made is on its way."""
        _beside(self._settled())

    def machines_with(self, token: str) -> Sequence[str]:
        return [each.id for each in _beside(self._machines()) if each.token == token]

    async def end(self) -> None:
        """Terminate whatever carries a token of the suite, in both regions."""
        machines = machines_of(self.cloud)
        for region in (self.region, self.other_region):
            for each in await _made(self.cloud, region):
                await machines.terminate(region, each.id)

    def _of_a_simulated_cloud(self, *_: object) -> NoReturn:
        pytest.skip("a real cloud fails when it will, not when it is told to")

    lose_answer_of_create = refuse_create = throttle = lose_region = end_faults = _of_a_simulated_cloud
    snapshots_with = _of_a_simulated_cloud

    async def _machines(self) -> list[Machine]:
        cloud = self.open_with(self.credentials)
        try:
            found = [each for region in (self.region, self.other_region) for each in await _made(cloud, region)]
        finally:
            await cloud.close()
        alive = [each for each in found if each.state not in _GONE]
        assert len(alive) <= MACHINES_MAX, "the suite must not become expensive"
        return found

    async def _settled(self) -> None:
        limit = time.monotonic() + SETTLE_S
        while any(each.state in _MOVING for each in await self._machines()):
            assert time.monotonic() < limit, "the cloud takes too long"
            await asyncio.sleep(2)


async def _made(cloud: Cloud, region: str) -> list[Machine]:
    try:
        pages = [page async for page in machines_of(cloud).pages(region)]
    except CloudError as error:
        pytest.fail(f"the machines of {region} cannot be listed, look after them: {error}")
    return [each for page in pages for each in page if (each.token or "").startswith(PREFIX)]


def _beside(work: Coroutine[Any, Any, Any]) -> Any:
    """The suite calls this from within its own event loop, which waits."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()

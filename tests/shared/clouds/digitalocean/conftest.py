"""How do the tests of DigitalOcean reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import pytest

from shared.clouds.errors import NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.libcloud.tokens import name_of
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.libcloud.account import TokenAccount


class DigitalOceanAccount(TokenAccount):
    provider = "digitalocean"
    region = "nyc3"
    other_region = "ams3"
    instance_type = "s-1vcpu-1gb"
    other_instance_type = "s-2vcpu-4gb"
    unknown_machine_id = "3164494"
    compute = ("compute", "droplet")
    create_action = "droplets.create"
    list_action = "droplets.list"
    capture_action = "droplets.act"
    page_size = 5
    refusals: ClassVar = {
        NoCapacity: (422, "no_capacity"),
        QuotaExceeded: (422, "quota"),
        RateLimited: (429, ""),
        PermissionDenied: (403, ""),
    }

    def snapshots_with(self, token: str) -> Sequence[str]:
        """Also those that have their name and no tags yet."""
        return [each["id"] for each in self.simulated.snapshots() if each["name"] == name_of(token)]


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[DigitalOceanAccount]:
    simulated = simulated_world["digitalocean"]
    simulated.clear_faults()
    account = DigitalOceanAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()

"""How do the tests of Linode reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from shared.clouds.errors import NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.libcloud.account import TokenAccount


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


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[LinodeAccount]:
    simulated = simulated_world["linode"]
    simulated.clear_faults()
    account = LinodeAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()

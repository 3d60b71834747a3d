"""How do the tests of Vultr reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from shared.clouds.errors import NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.libcloud.account import TokenAccount


class VultrAccount(TokenAccount):
    provider = "vultr"
    region = "ewr"
    other_region = "fra"
    instance_type = "vc2-1c-1gb"
    other_instance_type = "vc2-2c-4gb"
    unknown_machine_id = "cb676a46-66fd-4dfb-b839-443f2e6c0b60"
    compute = ("compute", "vultr_instance")
    create_action = "instances.create"
    list_action = "instances.list"
    capture_action = "snapshots.create"
    volume_action = "blocks.create"
    images_are_everywhere = True
    page_size = 5
    refusals: ClassVar = {
        NoCapacity: (400, "no_capacity"),
        QuotaExceeded: (400, "quota"),
        RateLimited: (429, ""),
        PermissionDenied: (403, ""),
    }


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[VultrAccount]:
    simulated = simulated_world["vultr"]
    simulated.clear_faults()
    account = VultrAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()

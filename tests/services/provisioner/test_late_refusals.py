"""A machine that a cloud accepts, and then has no room for: had at the next offer, also when a kill comes between."""

import asyncio
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from shared.kit.ids import new_id
from shared.messages.providers import Provider
from shared.messages.resources import AcceptedResource, CreateResource
from tests.fixtures.clouds import SimulatedAws, SimulatedCloud
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant
from tests.services.provisioner.test_placement import T3A, tried, where
from tests.services.provisioner.traps import Traps, set_journal_traps

pytestmark = pytest.mark.anyio

OREGON = "us-west1"
CHEAPEST_AT_GOOGLE = {"min_vcpu": 2, "min_memory_gib": 1, "max_price_usd_per_hour": 0.0095}
"""In Oregon an e2-micro for 0.0084 USD, by Google's choice of zone and then in each of three; then EC2's t3a.micro."""
E2 = "e2-micro"


class Placing(Tenant):
    """A tenant with an account at Google, and perhaps one at AWS."""

    def __init__(self, services: Services, aws: SimulatedAws, gcp: SimulatedCloud) -> None:
        super().__init__(services, aws)
        self.gcp = gcp

    async def google(self) -> Provider:
        importlib.import_module("google.cloud.compute_v1")  # seconds of a busy machine, which no request waits for
        token = dict(self.gcp.credentials())
        return await self.add_provider(
            provider_name="gcp", display_name=f"Google {new_id()}", regions=[OREGON], credentials_config=token
        )

    async def placed(self, **fields: Any) -> AcceptedResource:
        values: dict[str, Any] = {
            "resource_name": f"web-{new_id()}",
            "resource_type": "compute",
            "environment": "production",
            "project": "wedding",
        }
        accepted: AcceptedResource = await self.services.ask(CreateResource(**self.envelope(), **values, **fields))
        return accepted

    async def move_time(self) -> None:
        while True:
            await asyncio.to_thread(self.aws.advance)
            await asyncio.to_thread(self.gcp.advance)
            await asyncio.sleep(0.1)

    def fails_at_google(self, code: str, **fault: Any) -> None:
        """Google accepts the machine, and says later that nothing comes of it."""
        match = {"service": "gcp", "action": "instances.insert", "region": OREGON}
        self.gcp.fault(match=match, fail_operation=True, code=code, **fault)


@pytest.fixture
def gcp(simulated_world: dict[str, SimulatedCloud]) -> Iterator[SimulatedCloud]:
    simulated = simulated_world["gcp"]
    simulated.clear_faults()
    yield simulated
    simulated.clear_faults()


@pytest.fixture
def cloud_address(simulated_aws: SimulatedAws, gcp: SimulatedCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment's settings that say where the two clouds are, and that Google's operations are not waited for."""
    monkeypatch.setenv("CANOPY_AWS_ENDPOINT_URL", simulated_aws.endpoint_url)
    monkeypatch.setenv("CANOPY_GCP_ENDPOINT_URL", gcp.endpoint_url)
    monkeypatch.setenv("CANOPY_GCP_OPERATION_WAIT_S", "0.01")
    monkeypatch.setenv("CANOPY_CLOUD_CALL_ATTEMPTS", "1")


@pytest.fixture
def tenant(services: Services, simulated_aws: SimulatedAws, gcp: SimulatedCloud) -> Placing:
    return Placing(services, simulated_aws, gcp)


@pytest.mark.usefixtures("provisioner")
async def test_what_google_accepts_and_has_no_room_for_is_had_at_the_next_offer(tenant: Placing) -> None:
    google = await tenant.google()
    tenant.fails_at_google("ZONE_RESOURCE_POOL_EXHAUSTED", count=1)
    accepted = await tenant.placed(constraints=CHEAPEST_AT_GOOGLE)
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    resource = await tenant.get(accepted.resource.id)
    assert (where(resource), resource.resource_status) == (("gcp", OREGON, E2), "running")
    assert tried(resource) == [(OREGON, E2, "ZONE_RESOURCE_POOL_EXHAUSTED")]
    assert operation.progress.total == operation.progress.completed

    for place in ({"constraints": CHEAPEST_AT_GOOGLE}, {
        "provider_id": google.id, "region": OREGON, "resource_subtype": "gce_instance", "constraints": None,
    }):  # fmt: skip
        tenant.gcp.clear_faults()
        tenant.fails_at_google("INTERNAL_ERROR" if "region" not in place else "QUOTA_EXCEEDED")
        ended = await tenant.done(await tenant.placed(**place))
        assert ended.error is not None, place
        assert ended.error["code"] == "thing_failed", place


ACCEPTED_AND_REFUSED = [
    "store note machine",
    "store wait until running",
    "store clear offer 1",
    "store note machine after offer 1",
]
"""From the acceptance to the next offer, one at each turn; `make chaos` kills at all boundaries."""


async def test_a_kill_before_it_is_known_what_becomes_of_a_machine_leads_to_the_next_offer(
    tenant: Placing, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota is used up in all four of Google's offers, so that the fifth is tried next: EC2's."""
    first = await start_replica(lease_s=2, replica="first", database_pool_size=40)
    await tenant.google()
    await tenant.add_provider()
    tenant.fails_at_google("QUOTA_EXCEEDED")
    traps = Traps(ACCEPTED_AND_REFUSED)
    set_journal_traps(monkeypatch, traps)
    accepted = [await tenant.placed(constraints=CHEAPEST_AT_GOOGLE) for _ in ACCEPTED_AND_REFUSED]
    moving = asyncio.create_task(tenant.move_time())
    async with asyncio.timeout(120):
        assert {await traps.caught.get() for _ in ACCEPTED_AND_REFUSED} == set(ACCEPTED_AND_REFUSED)
    moving.cancel()
    killing = asyncio.create_task(first.kill())
    traps.spring()
    await killing

    await start_replica(lease_s=2, replica="second")
    for operation in await tenant.all_done(accepted, timeout_s=120):
        assert operation.status == "succeeded", operation.error
    for each in accepted:
        resource = await tenant.get(each.resource.id)
        assert where(resource) == ("aws", "us-east-1", T3A)
        assert tried(resource) == [(OREGON, E2, "QUOTA_EXCEEDED")]
        assert [machine["id"] for machine in tenant.machines(each)] == [resource.resource_id]

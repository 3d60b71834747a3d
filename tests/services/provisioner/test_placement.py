"""A machine whose place is left open: had at the cheapest of two clouds, at the next when refused, and never twice."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from shared.clouds.aws.machines import AwsMachines
from shared.clouds.errors import NoCapacity
from shared.clouds.linode.machines import LinodeMachines
from shared.db import sagas
from shared.kit.errors import CanopyError, Conflict, InvalidInput
from shared.kit.ids import new_id
from shared.messages.placement import FindOffers, Offers
from shared.messages.providers import Provider, UpdateProvider
from shared.messages.resources import AcceptedResource, CreateResource, Resource, ResourceUpdated
from tests.fixtures.clouds import SimulatedAws, SimulatedCloud
from tests.fixtures.services import Running, Services
from tests.services.provisioner.conftest import StartReplica, Tenant
from tests.services.provisioner.traps import Traps, set_journal_traps

pytestmark = pytest.mark.anyio

FITS_BOTH = {"min_vcpu": 1, "min_memory_gib": 1, "max_price_usd_per_hour": 0.0105}
"""At Linode a Nanode for 0.0075 USD; in each of the two regions of EC2 a t3a.micro for 0.0094 and a t3.micro for 0.0104."""
NANODE, T3A, T3 = "g6-nanode-1", "t3a.micro", "t3.micro"


class Placing(Tenant):
    """A tenant with an account at AWS and one at Linode."""

    def __init__(self, services: Services, aws: SimulatedAws, linode: SimulatedCloud) -> None:
        super().__init__(services, aws)
        self.linode = linode

    async def accounts(self) -> tuple[Provider, Provider]:
        token = dict(self.linode.credentials())
        linode = await self.add_provider(
            provider_name="linode", display_name=f"Linode {new_id()}", regions=["us-east"], credentials_config=token
        )
        return await self.add_provider(), linode

    def asks(self, key: str | None = None, **fields: Any) -> CreateResource:
        values: dict[str, Any] = {
            "resource_name": f"web-{new_id()}",
            "resource_type": "compute",
            "environment": "production",
            "project": "wedding",
            "constraints": FITS_BOTH,
        }
        return CreateResource(**self.envelope(key), **{**values, **fields})

    async def placed(self, **fields: Any) -> AcceptedResource:
        accepted: AcceptedResource = await self.services.ask(self.asks(**fields))
        return accepted

    async def offers(self, **fields: Any) -> Offers:
        found: Offers = await self.services.ask(FindOffers(**self.question(), **fields))
        return found

    async def move_time(self) -> None:
        while True:
            await asyncio.to_thread(self.aws.advance)
            await asyncio.to_thread(self.linode.advance)
            await asyncio.sleep(0.1)

    def living(self, *ids: str | None) -> list[str]:
        """Of all machines that the two clouds ever made with these ids or tokens, those that are not gone."""
        both = [*self.aws.machines(), *self.linode.machines()]
        return [
            each["id"] for each in both if str(each["state"]) not in {"terminated", "deleted"} and each["id"] in ids
        ]

    def no_linode(self, **fault: Any) -> None:
        match = {"service": "linode", "action": "instances.create"}
        self.linode.fault(match=match, **{"status": 400, "code": "no_capacity", **fault})

    def no_ec2(self, region: str, **fault: Any) -> None:
        match = {"action": "RunInstances", "region": region}
        self.aws.fault(match=match, **{"status": 500, "code": "InsufficientInstanceCapacity", **fault})


@pytest.fixture
def linode(simulated_world: dict[str, SimulatedCloud]) -> Iterator[SimulatedCloud]:
    simulated = simulated_world["linode"]
    simulated.clear_faults()
    yield simulated
    simulated.clear_faults()


@pytest.fixture
def cloud_address(simulated_aws: SimulatedAws, linode: SimulatedCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment's settings that say where the two clouds are; read when a replica starts."""
    monkeypatch.setenv("CANOPY_AWS_ENDPOINT_URL", simulated_aws.endpoint_url)
    monkeypatch.setenv("CANOPY_LINODE_ENDPOINT_URL", linode.endpoint_url)
    monkeypatch.setenv("CANOPY_CLOUD_CALL_ATTEMPTS", "1")


@pytest.fixture
def tenant(services: Services, simulated_aws: SimulatedAws, linode: SimulatedCloud) -> Placing:
    return Placing(services, simulated_aws, linode)


def where(resource: Resource) -> tuple[str, str, str]:
    return resource.provider_name, resource.region, resource.configuration["instance_type"]


def tried(resource: Resource) -> list[tuple[str, str, str]]:
    assert resource.placement is not None
    return [
        (each["offer"]["region"], each["offer"]["instance_type"], each["code"]) for each in resource.placement["tried"]
    ]


@pytest.mark.usefixtures("provisioner")
async def test_the_cheapest_offer_of_all_accounts_is_taken_and_the_row_says_why(tenant: Placing) -> None:
    await tenant.accounts()
    offers = await tenant.offers(constraints=FITS_BOTH)
    assert [(each.region, each.instance_type, each.usd_per_hour) for each in offers.offers] == [
        ("us-east", NANODE, 0.0075),
        ("us-east-1", T3A, 0.0094), ("us-west-2", T3A, 0.0094),
        ("us-east-1", T3, 0.0104), ("us-west-2", T3, 0.0104),
    ]  # fmt: skip
    assert (offers.fitting, offers.excluded["max_price_usd_per_hour"] > 1000) == (5, True)
    accepted = await tenant.placed()
    assert accepted.resource.placement is not None
    assert accepted.resource.placement["reason"] == "the cheapest of 5 offers that fit"
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    resource = await tenant.get(accepted.resource.id)
    assert where(resource) == ("linode", "us-east", NANODE)
    assert (resource.resource_status, resource.resource_subtype, tried(resource)) == ("running", "linode", [])
    assert resource.placement is not None
    assert resource.placement["offer"]["usd_per_hour"] == 0.0075


@pytest.mark.usefixtures("provisioner")
async def test_without_capacity_the_next_offer_is_taken_and_everybody_hears_which(tenant: Placing) -> None:
    """Linode has none, EC2 none in the first region: the machine is in the second, and there is one."""
    await tenant.accounts()
    tenant.no_linode()
    tenant.no_ec2("us-east-1")
    accepted = await tenant.placed(configuration={"image": None})
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    resource = await tenant.get(accepted.resource.id)
    assert where(resource) == ("aws", "us-west-2", T3A)
    assert {code for *_, code in tried(resource)} == {"error", "InsufficientInstanceCapacity"}
    assert tried(resource)[0][:2] == ("us-east", NANODE)
    assert all(region == "us-east-1" for region, *_ in tried(resource)[1:])
    assert resource.placement is not None
    assert "that could not be had" in resource.placement["reason"]
    moved = await tenant.services.event(
        ResourceUpdated, lambda event: event.aggregate_id == resource.id and event.resource.region == "us-west-2"
    )
    assert moved.resource.provider_name == "aws"
    assert len(tenant.machines(accepted)) == 1


@pytest.mark.usefixtures("provisioner")
async def test_a_used_up_quota_is_a_reason_for_the_next_offer_but_not_in_another_zone(tenant: Placing) -> None:
    await tenant.accounts()
    tenant.no_linode(code="quota")
    tenant.no_ec2("us-east-1", status=400, code="VcpuLimitExceeded")
    accepted = await tenant.placed()
    assert (await tenant.done(accepted)).status == "succeeded"
    resource = await tenant.get(accepted.resource.id)
    assert where(resource) == ("aws", "us-west-2", T3A)
    assert [each[:2] for each in tried(resource)] == [("us-east", NANODE), ("us-east-1", T3A)]


@pytest.mark.usefixtures("provisioner")
async def test_when_no_offer_is_left_it_fails_with_the_list_and_nothing_is_there(tenant: Placing) -> None:
    await tenant.accounts()
    tenant.no_linode()
    for region in ("us-east-1", "us-west-2"):
        tenant.no_ec2(region, status=400, code="VcpuLimitExceeded")
    accepted = await tenant.placed()
    operation = await tenant.done(accepted)
    assert operation.error is not None
    assert (operation.status, operation.error["code"]) == ("failed", "no_offer_left")
    resource = await tenant.get(accepted.resource.id)
    assert (resource.resource_status, resource.resource_id) == ("error", None)
    assert len(tried(resource)) == 5
    for offer in (f"linode us-east {NANODE}", f"aws us-east-1 {T3A}", f"aws us-west-2 {T3}"):
        assert offer in str(resource.status_reason)
    assert tenant.machines(accepted) == []


@pytest.mark.usefixtures("provisioner")
async def test_what_a_lost_call_made_is_removed_before_the_next_offer(
    tenant: Placing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linode makes the machine, the answer is lost, reads lag behind, and the second call finds no capacity."""
    await tenant.accounts()
    create, made = LinodeMachines.create, []

    async def lost(self: LinodeMachines, region: str, spec: Any) -> Any:
        made.append((await create(self, region, spec)).id)
        raise NoCapacity("no_capacity", "none left", provider="linode", operation="create")

    monkeypatch.setattr(LinodeMachines, "create", lost)
    accepted = await tenant.placed()
    assert (await tenant.done(accepted)).status == "succeeded"
    resource = await tenant.get(accepted.resource.id)
    assert where(resource)[0] == "aws"
    assert len(made) == 1
    assert tenant.living(*made, resource.resource_id) == [resource.resource_id]


@pytest.mark.usefixtures("provisioner")
async def test_what_a_lost_call_made_is_removed_too_when_the_work_is_cancelled_before_it_is_cleared(
    tenant: Placing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.accounts()
    create, made = LinodeMachines.create, []
    operation: asyncio.Future[UUID] = asyncio.get_running_loop().create_future()
    database = tenant.services.database("provisioner")

    async def cancelled(self: LinodeMachines, region: str, spec: Any) -> Any:
        made.append((await create(self, region, spec)).id)
        async with database.work(tenant.context) as work:
            await sagas.cancel(work, [await operation])
        raise NoCapacity("no_capacity", "none left", provider="linode", operation="create")

    monkeypatch.setattr(LinodeMachines, "create", cancelled)
    accepted = await tenant.placed()
    operation.set_result(accepted.operation.id)
    ended = await tenant.done(accepted)
    await database.engine.dispose()
    assert (ended.status, ended.error and ended.error["code"]) == ("failed", "cancelled")
    assert len(made) == 1
    assert tenant.living(*made) == []


BOUNDARIES = [
    "begin take offer 1",
    "store create machine 1",
    "store clear offer 1",
    "begin create machine 2",
    "after RunInstances",
    "store create machine 2",
]
"""One of each kind between the refusal and the machine; `make chaos` kills at all of them."""


async def test_a_kill_between_attempts_ends_with_exactly_one_machine(
    tenant: Placing, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await start_replica(lease_s=2, replica="first", database_pool_size=40)
    await tenant.accounts()
    tenant.no_linode()
    traps = Traps(BOUNDARIES)
    create = AwsMachines.create

    async def run(self: AwsMachines, region: str, spec: Any) -> Any:
        await traps.pass_by("before RunInstances")
        machine = await create(self, region, spec)
        await traps.pass_by("after RunInstances")
        return machine

    set_journal_traps(monkeypatch, traps)
    monkeypatch.setattr(AwsMachines, "create", run)
    accepted = [await tenant.placed() for _ in BOUNDARIES]
    moving = asyncio.create_task(tenant.move_time())
    async with asyncio.timeout(120):
        assert {await traps.caught.get() for _ in BOUNDARIES} == set(BOUNDARIES)
    moving.cancel()
    killing = asyncio.create_task(first.kill())
    traps.spring()
    await killing

    await start_replica(lease_s=2, replica="second")
    operations = await tenant.all_done(accepted, timeout_s=120)
    assert [operation.status for operation in operations] == ["succeeded"] * len(accepted)
    for each in accepted:
        resource = await tenant.get(each.resource.id)
        assert where(resource) == ("aws", "us-east-1", T3A)
        assert [machine["id"] for machine in tenant.machines(each)] == [resource.resource_id]


BAD = [
    ({"constraints": {"min_vcpu": 999}}, ["/constraints/min_vcpu"]),
    ({"constraints": {"min_memory_gib": 99_999}}, ["/constraints/min_memory_gib"]),
    ({"constraints": {"max_price_usd_per_hour": 0.001}}, ["/constraints/max_price_usd_per_hour"]),
    ({"constraints": {"regions": ["mars-1"]}}, ["/constraints/regions"]),
    ({"constraints": {"providers": ["gcp"]}}, ["/constraints/providers"]),
    ({"constraints": {"architecture": "arm64", "providers": ["linode"]}}, ["/constraints/architecture"]),
    ({"constraints": None, "region": "mars-1"}, ["/region"]),
    ({"constraints": None, "resource_subtype": "droplet"}, ["/resource_subtype"]),
    ({"constraints": None, "configuration": {"instance_type": "x9.none"}}, ["/configuration/instance_type"]),
    ({"constraints": None, "configuration": {"colour": "blue"}}, ["/configuration/colour"]),
    ({"constraints": None, "configuration": {"availability_zone": "mars-1a"}}, ["/configuration/availability_zone"]),
    ({"constraints": None, "provider_id": new_id()}, ["/provider_id"]),
    ({"constraints": {}, "resource_type": "storage"}, ["/provider_id", "/region", "/resource_subtype", "/constraints"]),
]


async def test_what_cannot_be_placed_is_refused_by_its_fields_and_leaves_nothing(
    tenant: Placing, provisioner: Running
) -> None:
    with pytest.raises(InvalidInput, match="no active provider"):
        await tenant.placed()
    aws, _ = await tenant.accounts()
    for fields, pointers in BAD:
        with pytest.raises(InvalidInput) as caught:
            await tenant.placed(**fields)
        found = [error.pointer for error in caught.value.errors]
        assert set(pointers) <= set(found), (fields, found)
    await tenant.services.ask(UpdateProvider(**tenant.envelope(), provider_id=aws.id, is_active=False))
    with pytest.raises(Conflict) as inactive:
        await tenant.placed(provider_id=aws.id)
    assert inactive.value.code == "provider_inactive"
    found = await tenant.offers(constraints={"min_memory_gib": 1, "min_vcpu": 1})
    assert {each.provider_name for each in found.offers} == {"linode"}


@pytest.mark.usefixtures("provisioner")
async def test_the_same_key_gives_the_same_answer_though_the_offers_changed_meanwhile(tenant: Placing) -> None:
    _, linode = await tenant.accounts()
    request = tenant.asks(key=str(new_id()), resource_name="once")
    first: AcceptedResource = await tenant.services.ask(request)
    await tenant.services.ask(UpdateProvider(**tenant.envelope(), provider_id=linode.id, is_active=False))
    again: AcceptedResource = await tenant.services.ask(request)
    assert again.resource.id == first.resource.id
    with pytest.raises(CanopyError):
        await tenant.services.ask(request.model_copy(update={"resource_name": "twice"}))

"""Scaling under faults: whatever is lost, refused or killed, the machine has one of the two sizes and runs as before."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.clouds.aws.machines import AwsMachines
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import NoCapacity
from shared.clouds.registry import open_cloud
from shared.kit.ids import new_id
from shared.messages.operations import Operation
from shared.messages.resources import AcceptedResource, Resource, ResourceScaled, StopResource
from shared.messages.scaling import ListScalings, ScaleResource, Scaling
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant
from tests.services.provisioner.traps import Traps, set_journal_traps

pytestmark = pytest.mark.anyio

BEFORE, AFTER = "t3.micro", "t3.small"
Call = Callable[..., Awaitable[None]]


async def begin(tenant: Tenant, resource: Resource, wanted: str = AFTER) -> AcceptedResource:
    accepted: AcceptedResource = await tenant.services.ask(
        ScaleResource(**tenant.envelope(), resource=resource.id, action="configuration_change", instance_type=wanted)
    )
    return accepted


async def scaled(tenant: Tenant, resource: Resource, wanted: str = AFTER) -> Operation:
    return await tenant.done(await begin(tenant, resource, wanted))


async def last_scaling(tenant: Tenant, resource: Resource) -> Scaling:
    page = await tenant.services.ask(ListScalings(**tenant.question(), resource=resource.id))
    newest: Scaling = page.items[0]
    return newest


def machine(tenant: Tenant, resource: Resource) -> tuple[str, str]:
    """The state and the type that the cloud knows."""
    [found] = [each for each in tenant.aws.machines() if each["id"] == resource.resource_id]
    return found["state"], found["instance_type"]


async def check_as_before(tenant: Tenant, resource: Resource, code: str) -> None:
    """The row, the machine and the history after a scaling that was taken back."""
    found = await tenant.get(resource.id)
    assert machine(tenant, resource) == ("running", BEFORE)
    assert (found.resource_status, found.configuration) == ("running", resource.configuration)
    assert (found.size_category, found.private_ip) == (resource.size_category, resource.private_ip)
    assert code in str(found.status_reason)
    kept = await last_scaling(tenant, resource)
    assert kept.success is False
    assert code in str(kept.error)
    assert kept.duration_s is not None
    assert not [
        event
        for event in tenant.services.events
        if isinstance(event, ResourceScaled) and event.aggregate_id == resource.id
    ]


@pytest.mark.usefixtures("provisioner")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"after": True, "reset": True, "count": 1}, id="answer lost after it was done"),
        pytest.param({"reset": True, "count": 1}, id="connection cut before it was done"),
        pytest.param({"status": 503, "code": "RequestLimitExceeded", "count": 1}, id="throttled"),
    ],
)
async def test_a_passing_fault_ends_with_the_new_size(tenant: Tenant, fault: dict[str, Any]) -> None:
    provider = await tenant.add_provider()
    for action in ("StopInstances", "ModifyInstanceAttribute", "StartInstances"):
        resource = await tenant.running(provider)
        before = len(tenant.aws.ledger())
        tenant.aws.fault(match={"action": action}, **fault)
        operation = await scaled(tenant, resource)
        assert operation.status == "succeeded", (action, operation.error)
        assert machine(tenant, resource) == ("running", AFTER), action
        assert (await tenant.get(resource.id)).configuration["instance_type"] == AFTER
        resized = [each for each in tenant.aws.ledger()[before:] if each["action"] == "ModifyInstanceAttribute"]
        assert len(resized) <= 1, action


@pytest.mark.usefixtures("provisioner")
async def test_a_size_that_is_not_to_be_had_gives_the_old_one_back_and_it_runs(tenant: Tenant) -> None:
    """EC2 takes the new type of a stopped machine at once and says at its start that there is none left."""
    resource = await tenant.running(await tenant.add_provider())
    tenant.aws.fault(match={"action": "StartInstances"}, status=500, code="InsufficientInstanceCapacity", count=1)
    operation = await scaled(tenant, resource)
    assert operation.error is not None
    assert (operation.status, operation.error["code"]) == ("failed", "InsufficientInstanceCapacity")
    await check_as_before(tenant, resource, "InsufficientInstanceCapacity")


@pytest.mark.usefixtures("provisioner")
async def test_the_old_size_is_asked_for_until_it_is_there_again(tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    tenant.aws.fault(match={"action": "StartInstances"}, status=500, code="InsufficientInstanceCapacity", count=3)
    assert (await scaled(tenant, resource)).status == "failed"
    await check_as_before(tenant, resource, "InsufficientInstanceCapacity")


async def test_an_old_size_that_is_gone_too_leaves_it_stopped_and_says_so(
    tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(machine_wait_s=3)
    resource = await tenant.running(await tenant.add_provider())
    tenant.aws.fault(match={"action": "StartInstances"}, status=500, code="InsufficientInstanceCapacity")
    assert (await scaled(tenant, resource)).status == "failed"
    found = await tenant.get(resource.id)
    assert (found.resource_status, found.configuration["instance_type"]) == ("stopped", BEFORE)
    assert machine(tenant, resource) == ("stopped", BEFORE)
    tenant.aws.clear_faults()
    assert (await scaled(tenant, resource)).status == "succeeded"


@pytest.mark.usefixtures("provisioner")
async def test_a_type_that_the_cloud_does_not_know_changes_nothing(tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    operation = await scaled(tenant, resource, "z99.mega")
    assert operation.error is not None
    assert operation.status == "failed"
    await check_as_before(tenant, resource, str(operation.error["code"]))


@pytest.mark.usefixtures("provisioner")
async def test_a_stopped_machine_that_is_refused_stays_stopped(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    await tenant.done(await services.ask(StopResource(**tenant.envelope(), resource=resource.id)))
    assert (await scaled(tenant, resource, "z99.mega")).status == "failed"
    found = await tenant.get(resource.id)
    assert (found.resource_status, found.configuration) == ("stopped", resource.configuration)
    assert machine(tenant, resource) == ("stopped", BEFORE)


@pytest.mark.usefixtures("provisioner")
async def test_credentials_that_may_not_stop_it_leave_it_running(tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    tenant.aws.fault(match={"action": "StopInstances"}, status=403, code="UnauthorizedOperation")
    assert (await scaled(tenant, resource)).status == "failed"
    await check_as_before(tenant, resource, "UnauthorizedOperation")


@pytest.mark.usefixtures("provisioner")
async def test_a_cloud_that_cannot_be_asked_at_all_leaves_the_row_as_it_was(tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    tenant.aws.fault(match={"action": "DescribeInstances"}, status=401, code="AuthFailure", count=1)
    assert (await scaled(tenant, resource)).status == "failed"
    await check_as_before(tenant, resource, "AuthFailure")


@pytest.mark.usefixtures("provisioner")
async def test_a_machine_that_vanished_is_terminated_in_the_list(tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    cloud = open_cloud("aws", tenant.credentials(), tenant.aws.settings())
    await machines_of(cloud).terminate("us-east-1", str(resource.resource_id))
    await cloud.close()
    tenant.aws.advance()
    operation = await scaled(tenant, resource)
    assert operation.error is not None
    assert operation.error["code"] == "vanished"
    assert (await tenant.get(resource.id)).resource_status == "terminated"
    assert (await last_scaling(tenant, resource)).success is False


FORWARD = [
    "begin take order", "store look at machine",
    "before stop", "after stop", "store stop machine", "store wait until stopped",
    "before resize to t3.small", "after resize to t3.small", "store resize machine",
    "before start", "after start", "store record scaled",
]  # fmt: skip
"""Around each change at the cloud, and the first and last of the journal's own; `make chaos` kills at all of them."""
BACK = [
    "begin undo stop machine", "before resize to t3.micro", "after resize to t3.micro",
    "before start", "after start", "store undo stop machine",
]  # fmt: skip
"""All of them: no resize is refused in a campaign, so that it never goes this way."""


def set_cloud_traps(monkeypatch: pytest.MonkeyPatch, traps: Traps, *, refused: set[str]) -> None:
    """Traps around each call that changes a machine. In `refused` are types of which the cloud has none left."""
    set_journal_traps(monkeypatch, traps)
    calls = {"stop": AwsMachines.stop, "start": AwsMachines.start}
    resize = AwsMachines.resize

    def trapped(name: str, call: Call) -> Call:
        async def run(self: AwsMachines, region: str, machine_id: str) -> None:
            if name == "start" and (await self.get(region, machine_id)).instance_type in refused:
                raise NoCapacity("InsufficientInstanceCapacity", "none left", provider="aws", operation=name)
            await traps.pass_by(f"before {name}")
            await call(self, region, machine_id)
            await traps.pass_by(f"after {name}")

        return run

    async def resized(self: AwsMachines, region: str, machine_id: str, instance_type: str) -> None:
        await traps.pass_by(f"before resize to {instance_type}")
        await resize(self, region, machine_id, instance_type)
        await traps.pass_by(f"after resize to {instance_type}")

    for name, call in calls.items():
        monkeypatch.setattr(AwsMachines, name, trapped(name, call))
    monkeypatch.setattr(AwsMachines, "resize", resized)


async def killed_at(
    tenant: Tenant,
    start_replica: StartReplica,
    monkeypatch: pytest.MonkeyPatch,
    boundaries: list[str],
    refused: set[str],
) -> tuple[list[Resource], list[Operation]]:
    """As many scalings as boundaries, each killed at another one; another replica ends them."""
    first = await start_replica(lease_s=2, replica="first", database_pool_size=40)
    provider = await tenant.add_provider()
    made = [await tenant.add_resource(provider, resource_name=f"web-{new_id()}") for _ in boundaries]
    await tenant.all_done(made)
    resources = [await tenant.get(each.resource.id) for each in made]
    traps = Traps(boundaries)
    set_cloud_traps(monkeypatch, traps, refused=refused)
    accepted = [await begin(tenant, each) for each in resources]
    moving = asyncio.create_task(tenant.move_time())
    async with asyncio.timeout(60):
        caught = {await traps.caught.get() for _ in boundaries}
    moving.cancel()
    assert caught == set(boundaries)
    killing = asyncio.create_task(first.kill())
    traps.spring()
    await killing

    await start_replica(lease_s=2, replica="second")
    return resources, await tenant.all_done(accepted, timeout_s=90)


async def test_a_kill_at_any_boundary_ends_with_the_new_size(
    tenant: Tenant, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources, operations = await killed_at(tenant, start_replica, monkeypatch, FORWARD, set())
    assert [operation.status for operation in operations] == ["succeeded"] * len(FORWARD)
    for each in resources:
        assert machine(tenant, each) == ("running", AFTER)
        found = await tenant.get(each.id)
        assert (found.resource_status, found.configuration["instance_type"]) == ("running", AFTER)
        assert (await last_scaling(tenant, each)).success is True


async def test_a_kill_at_any_boundary_of_the_way_back_ends_with_the_old_size(
    tenant: Tenant, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources, operations = await killed_at(tenant, start_replica, monkeypatch, BACK, {AFTER})
    assert [operation.status for operation in operations] == ["failed"] * len(BACK)
    for each in resources:
        await check_as_before(tenant, each, "InsufficientInstanceCapacity")

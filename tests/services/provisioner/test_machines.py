"""Provisioning under faults: whatever is lost, refused or killed, the cloud holds exactly one machine, or none."""

import asyncio
from typing import Any

import pytest

from shared.clouds.aws.machines import AwsMachines
from shared.clouds.models import Machine, MachineSpec
from shared.kit.errors import CanopyError
from shared.kit.ids import new_id
from shared.messages.resources import AcceptedResource, DeleteResource, ResourceFailed
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant
from tests.services.provisioner.traps import Traps, set_journal_traps

pytestmark = pytest.mark.anyio

RUN = {"action": "RunInstances"}


def created(tenant: Tenant, accepted: AcceptedResource) -> list[str]:
    """The states of all machines ever made for this resource."""
    return [str(machine["state"]) for machine in tenant.machines(accepted)]


@pytest.mark.usefixtures("provisioner")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"after": True, "reset": True, "count": 2}, id="answer lost after the machine was made"),
        pytest.param({"status": 503, "code": "RequestLimitExceeded", "count": 2}, id="throttled"),
        pytest.param({"status": 500, "count": 2}, id="internal error"),
        pytest.param({"reset": True, "count": 1}, id="connection cut"),
    ],
)
async def test_a_passing_fault_ends_with_one_running_machine(tenant: Tenant, fault: dict[str, Any]) -> None:
    provider = await tenant.add_provider()
    tenant.aws.fault(match=RUN, **fault)
    accepted = await tenant.add_resource(provider, resource_name=f"web-{new_id()}")
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    assert created(tenant, accepted) == ["running"]


@pytest.mark.usefixtures("provisioner")
async def test_a_refusal_is_told_and_leaves_nothing(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    tenant.aws.fault(match=RUN, status=400, code="VcpuLimitExceeded")
    accepted = await tenant.add_resource(provider, resource_name=f"web-{new_id()}")
    operation = await tenant.done(accepted)
    assert operation.error is not None
    assert operation.error["code"] == "VcpuLimitExceeded"
    resource = await tenant.get(accepted.resource.id)
    assert resource.resource_status == "error"
    assert "VcpuLimitExceeded" in str(resource.status_reason)
    await services.event(ResourceFailed, lambda event: event.aggregate_id == resource.id)
    assert created(tenant, accepted) == []
    tenant.aws.clear_faults()
    removing = await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id))
    assert (await tenant.done(removing)).status == "succeeded"


@pytest.mark.usefixtures("provisioner")
async def test_a_machine_of_a_lost_call_is_removed_when_provisioning_is_given_up(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cloud makes it, our side fails for good, and reads do not show it yet: only its token leads to it."""
    provider = await tenant.add_provider()
    create, calls = AwsMachines.create, 0

    async def lost(self: AwsMachines, region: str, spec: MachineSpec) -> Machine:
        nonlocal calls
        calls += 1
        machine = await create(self, region, spec)
        if calls == 1:
            raise CanopyError("our own failure, right after the machine was made")
        return machine

    async def invisible(self: AwsMachines, region: str, token: str) -> None:
        return None

    monkeypatch.setattr(AwsMachines, "create", lost)
    monkeypatch.setattr(AwsMachines, "find_by_token", invisible)
    accepted = await tenant.add_resource(provider, resource_name=f"web-{new_id()}")
    assert (await tenant.done(accepted)).status == "failed"
    tenant.aws.advance()
    assert created(tenant, accepted) == ["terminated"]
    assert (await tenant.get(accepted.resource.id)).resource_status == "error"


BOUNDARIES = [
    "begin take order",
    "store take order",
    "begin create machine",
    "before RunInstances",
    "after RunInstances",
    "store create machine",
    "store note machine",
    "store wait until running",
    "store record running",
]


def set_traps(monkeypatch: pytest.MonkeyPatch, traps: Traps) -> None:
    create = AwsMachines.create

    async def run(self: AwsMachines, region: str, spec: Any) -> Any:
        await traps.pass_by("before RunInstances")
        machine = await create(self, region, spec)
        await traps.pass_by("after RunInstances")
        return machine

    set_journal_traps(monkeypatch, traps)
    monkeypatch.setattr(AwsMachines, "create", run)


async def test_a_kill_at_any_boundary_ends_with_exactly_one_machine(
    services: Services, tenant: Tenant, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await start_replica(lease_s=2, replica="first", database_pool_size=40)
    provider = await tenant.add_provider()
    traps = Traps(BOUNDARIES)
    set_traps(monkeypatch, traps)
    accepted = [await tenant.add_resource(provider, resource_name=f"web-{new_id()}") for _ in BOUNDARIES]
    moving = asyncio.create_task(tenant.move_time())
    async with asyncio.timeout(60):
        caught = {await traps.caught.get() for _ in BOUNDARIES}
    moving.cancel()
    assert caught == set(BOUNDARIES)
    killing = asyncio.create_task(first.kill())
    traps.spring()
    await killing

    await start_replica(lease_s=2, replica="second")
    operations = await tenant.all_done(accepted, timeout_s=90)
    assert [operation.status for operation in operations] == ["succeeded"] * len(accepted)
    for each in accepted:
        assert created(tenant, each) == ["running"]
        resource = await tenant.get(each.resource.id)
        assert resource.resource_id == tenant.machines(each)[0]["id"]


async def test_two_replicas_share_many_provisionings(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(replica="first")
    await start_replica(replica="second")
    provider = await tenant.add_provider()
    accepted = [await tenant.add_resource(provider, resource_name=f"web-{new_id()}") for _ in range(12)]
    operations = await tenant.all_done(accepted)
    assert [operation.status for operation in operations] == ["succeeded"] * 12
    assert [created(tenant, each) for each in accepted] == [["running"]] * 12

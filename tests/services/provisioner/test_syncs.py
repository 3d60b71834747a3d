"""An account is read into the inventory: what is there is adopted, what changes is told, what goes is marked gone."""

import asyncio
from typing import Any

import pytest

from shared.clouds.models import MachineSpec, SnapshotSpec
from shared.clouds.registry import open_cloud
from shared.kit.errors import Conflict, NotFound
from shared.kit.ids import new_id
from shared.messages.dependencies import DependencyGraph, GetDependencies
from shared.messages.groups import ScaleGroup
from shared.messages.history import ListHistory
from shared.messages.operations import Operation
from shared.messages.providers import GetProvider, Provider, RemoveProvider, UpdateProvider
from shared.messages.resources import (
    ListResources,
    Resource,
    ResourceDiscovered,
    ResourceStarted,
    ResourceStopped,
    ResourceTerminated,
    ResourceUpdated,
    StopResource,
)
from shared.messages.syncs import GetProviderSync, ProviderSync, ScopeState, SyncProvider
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant, eventually

pytestmark = pytest.mark.anyio

SETTLE = {"inventory_settle_s": 0}
"""The simulated clouds' lists never lag; what the waiting is for is tested in test_scans.py."""


class Cloud:
    """The account behind the provider, as its owner's other tools see it, in a region that no other test uses."""

    def __init__(self, tenant: Tenant, region: str) -> None:
        self.aws = tenant.aws
        self.region = region
        self.cloud: Any = open_cloud("aws", tenant.aws.credentials(), tenant.aws.settings())

    async def machine(self, **changes: Any) -> str:
        """A machine that somebody made, without our token's row."""
        values = {"token": str(new_id()), "instance_type": "t3.micro", "tags": {"Name": "theirs", "team": "music"}}
        made = await self.cloud.machines.create(self.region, MachineSpec(**{**values, **changes}))
        await asyncio.to_thread(self.aws.advance)
        return str(made.id)

    async def settle(self) -> None:
        await asyncio.to_thread(self.aws.advance)


async def sync(tenant: Tenant, provider: Provider) -> Operation:
    """Read the whole account; its operation's end."""
    accepted = await tenant.services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    operation = (await tenant.all_done([accepted]))[0]
    assert operation.status == "succeeded", operation.error
    return operation


async def found(tenant: Tenant, provider: Provider, **filters: Any) -> list[Resource]:
    request = ListResources(**tenant.question(), limit=200, provider_id=provider.id, **filters)
    return list((await tenant.services.ask(request)).items)


async def find(tenant: Tenant, provider: Provider, machine_id: str) -> Resource:
    [resource] = [each for each in await found(tenant, provider) if each.resource_id == machine_id]
    return resource


async def state(tenant: Tenant, provider: Provider) -> ProviderSync:
    answer: ProviderSync = await tenant.services.ask(GetProviderSync(**tenant.question(), provider_id=provider.id))
    return answer


async def scope(tenant: Tenant, provider: Provider, region: str, subtype: str) -> ScopeState:
    [one] = [
        each
        for each in (await state(tenant, provider)).scopes
        if (each.region, each.resource_subtype) == (region, subtype)
    ]
    return one


@pytest.fixture
async def replica(start_replica: StartReplica) -> Any:
    return await start_replica(**SETTLE)


@pytest.mark.usefixtures("replica")
async def test_what_is_found_is_adopted_with_its_volume_and_watched(services: Services, tenant: Tenant) -> None:
    cloud = Cloud(tenant, "eu-west-3")
    machine_id = await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region])
    operation = await sync(tenant, provider)
    assert operation.result is not None
    assert (operation.result["scopes"], operation.result["complete"]) == (9, 9)
    resource = await find(tenant, provider, machine_id)
    assert (resource.origin, resource.resource_status, resource.resource_name) == ("discovered", "running", "theirs")
    assert resource.tags == {"team": "music"}
    assert resource.configuration["instance_type"] == "t3.micro"
    event = await services.event(ResourceDiscovered, lambda event: event.aggregate_id == resource.id)
    assert (event.aggregate_version, event.resource.resource_id) == (1, machine_id)
    machine = await cloud.cloud.machines.get(cloud.region, machine_id)
    volume = await find(tenant, provider, machine.root_volume_id)
    assert (volume.resource_subtype, volume.resource_status) == ("volume", "available")
    assert {resource.id, volume.id} <= {each.id for each in await found(tenant, provider, origin="discovered")}
    assert await found(tenant, provider, origin="provisioned") == []
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=volume.id))
    assert graph.blast_radius.resources == [resource.id]
    assert ("disk", f"machine:{machine_id}", f"volume:{volume.resource_id}", True) in {
        (edge.relation, edge.source, edge.target, edge.hard) for edge in graph.edges
    }
    question = {**tenant.question(), "resource": resource.id, "direction": "dependencies", "depth": 1}
    below: DependencyGraph = await services.ask(GetDependencies(**question))
    assert {node.key.partition(":")[0] for node in below.nodes} == {"machine", "volume", "subnet", "network"}
    assert (below.truncated, below.blast_radius.resources) == (True, [])
    sync_state = await state(tenant, provider)
    assert (sync_state.state, sync_state.operation) == ("fresh", None)
    assert sync_state.oldest_age_s is not None
    account = await services.ask(GetProvider(**tenant.question(), provider_id=provider.id))
    assert account.last_sync_at == min(each.last_complete_at for each in sync_state.scopes if each.last_complete_at)
    again = await sync(tenant, provider)
    assert again.result == operation.result
    assert (await find(tenant, provider, machine_id)).version == 1
    history = (await services.ask(ListHistory(**tenant.question(), resource=resource.id))).items
    assert [entry.event for entry in history] == ["discovered"]
    copying = await services.ask(ScaleGroup(**tenant.envelope(), resource=resource.id, action="scale_out"))
    assert (await tenant.done(copying)).status == "succeeded"
    [copy] = await found(tenant, provider, origin="provisioned")
    assert (copy.resource_name, copy.resource_status, copy.group_id) == ("theirs-1", "running", resource.id)
    with pytest.raises(Conflict) as unscalable:
        await services.ask(ScaleGroup(**tenant.envelope(), resource=volume.id, action="scale_out"))
    assert unscalable.value.code == "not_scalable"


@pytest.mark.usefixtures("replica")
async def test_what_changed_outside_is_an_event_with_before_and_after(services: Services, tenant: Tenant) -> None:
    cloud = Cloud(tenant, "eu-west-2")
    machine_id = await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region])
    await sync(tenant, provider)
    resource = await find(tenant, provider, machine_id)
    await cloud.cloud.machines.stop(cloud.region, machine_id)
    await cloud.settle()
    await cloud.cloud.machines.resize(cloud.region, machine_id, "t3.large")
    await cloud.cloud.machines.tag(cloud.region, machine_id, {"Name": "renamed", "team": "photos"})
    await sync(tenant, provider)
    event = await services.event(ResourceStopped, lambda event: event.aggregate_id == resource.id)
    assert event.aggregate_version == event.resource.version == 2
    changes = {name: (change.before, change.after) for name, change in event.changes.items()}
    assert changes["resource_status"] == ("running", "stopped")
    assert changes["instance_type"] == ("t3.micro", "t3.large")
    assert changes["resource_name"] == ("theirs", "renamed")
    assert changes["tags"] == ({"team": "music"}, {"team": "photos"})
    assert (event.resource.configuration["instance_type"], event.resource.size_category) == ("t3.large", "large")
    assert await tenant.get(resource.id) == event.resource
    newest = (await services.ask(ListHistory(**tenant.question(), resource=resource.id))).items[0]
    assert (newest.event, newest.version, newest.changes) == ("stopped", 2, event.changes)
    await cloud.cloud.machines.start(cloud.region, machine_id)
    await cloud.settle()
    await sync(tenant, provider)
    await services.event(ResourceStarted, lambda event: event.aggregate_id == resource.id)


@pytest.mark.usefixtures("replica")
async def test_what_goes_is_marked_gone_by_a_complete_read_only(services: Services, tenant: Tenant) -> None:
    cloud = Cloud(tenant, "eu-north-1")
    machine_id = await cloud.machine()
    machine = await cloud.cloud.machines.get(cloud.region, machine_id)
    token = str(new_id())
    snapshot = await cloud.cloud.snapshots.create(cloud.region, SnapshotSpec(token, machine.root_volume_id))
    await cloud.settle()
    provider = await tenant.add_provider(regions=[cloud.region])
    await sync(tenant, provider)
    kept = await find(tenant, provider, snapshot.id)
    terminated = await find(tenant, provider, machine_id)
    await cloud.cloud.machines.terminate(cloud.region, machine_id)
    await cloud.cloud.snapshots.delete(cloud.region, snapshot.id)
    await cloud.settle()
    tenant.aws.fault(match={"action": "DescribeSnapshots"}, status=503, code="RequestLimitExceeded", retry_after_s=7)
    operation = await sync(tenant, provider)
    assert operation.result is not None
    assert [each["code"] for each in operation.result["unknown"]] == ["RequestLimitExceeded"]
    snapshots = await scope(tenant, provider, cloud.region, "snapshot")
    assert snapshots.state == "unknown"
    assert snapshots.error is not None
    assert (snapshots.error.code, snapshots.error.retryable, snapshots.error.failures) == (
        "RequestLimitExceeded", True, 1,
    )  # fmt: skip
    assert snapshots.age_s is not None
    assert (await scope(tenant, provider, cloud.region, "ec2_instance")).state == "fresh"
    assert (await tenant.get(kept.id)).resource_status == "available"
    gone = await services.event(ResourceTerminated, lambda event: event.aggregate_id == terminated.id)
    assert gone.resource.terminated_at is not None
    tenant.aws.clear_faults()
    await sync(tenant, provider)
    gone = await services.event(ResourceTerminated, lambda event: event.aggregate_id == kept.id)
    assert "found it no more" in str(gone.resource.status_reason)
    assert (await state(tenant, provider)).state == "fresh"


@pytest.mark.usefixtures("replica")
async def test_our_own_machine_is_known_by_its_token_also_while_it_is_made(services: Services, tenant: Tenant) -> None:
    region = "ca-central-1"
    provider = await tenant.add_provider(regions=[region])
    accepted = await tenant.add_resource(provider, region=region, resource_name=f"web-{new_id()}")
    async with asyncio.timeout(20):
        while not tenant.machines(accepted):
            await asyncio.sleep(0.02)
    syncing = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    assert [each.status for each in await tenant.all_done([syncing, accepted])] == ["succeeded", "succeeded"]
    await sync(tenant, provider)
    machines = await found(tenant, provider, resource_type="compute")
    assert [(each.id, each.origin, each.resource_status) for each in machines] == [
        (accepted.resource.id, "provisioned", "running")
    ]
    assert not [event for event in services.events if isinstance(event, ResourceDiscovered)
                and event.resource.resource_type == "compute"]  # fmt: skip


@pytest.mark.usefixtures("replica")
async def test_our_own_machine_that_vanished_is_terminated(services: Services, tenant: Tenant) -> None:
    region = "sa-east-1"
    provider = await tenant.add_provider(regions=[region])
    resource = await tenant.running(provider, region=region)
    cloud = Cloud(tenant, region)
    await cloud.cloud.machines.terminate(region, resource.resource_id)
    await cloud.settle()
    await sync(tenant, provider)
    event = await services.event(ResourceTerminated, lambda event: event.aggregate_id == resource.id)
    assert event.changes["resource_status"].before == "running"
    assert event.resource.status_reason


@pytest.mark.usefixtures("replica")
async def test_one_sync_of_an_account_at_a_time(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider(regions=["ap-south-1"])
    tenant.aws.fault(match={"region": "ap-south-1"}, latency_ms=1500, count=3)
    first = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    with pytest.raises(Conflict) as caught:
        await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    assert caught.value.code == "sync_in_progress"
    assert (await state(tenant, provider)).operation == first.operation.id
    assert (await tenant.done(first)).status == "succeeded"


@pytest.mark.usefixtures("replica")
async def test_what_was_only_found_goes_out_of_sight_with_its_region_and_its_provider(
    services: Services, tenant: Tenant
) -> None:
    cloud = Cloud(tenant, "ap-northeast-2")
    machine_id = await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region, "ap-northeast-3"])
    await sync(tenant, provider)
    resource = await find(tenant, provider, machine_id)
    await services.ask(UpdateProvider(**tenant.envelope(), provider_id=provider.id, regions=["ap-northeast-3"]))
    await services.event(ResourceTerminated, lambda event: event.aggregate_id == resource.id)
    assert {each["id"]: each for each in tenant.aws.machines()}[machine_id]["state"] == "running"
    await services.ask(UpdateProvider(**tenant.envelope(), provider_id=provider.id, regions=[cloud.region]))
    await sync(tenant, provider)
    [again] = list(await found(tenant, provider, resource_status="running"))
    assert (again.resource_id, again.id != resource.id) == (machine_id, True)
    await services.ask(RemoveProvider(**tenant.envelope(), provider_id=provider.id))
    event = await services.event(ResourceTerminated, lambda event: event.aggregate_id == again.id)
    assert "no longer looked at" in str(event.resource.status_reason)


@pytest.mark.usefixtures("replica")
async def test_a_volume_is_seen_and_not_changed(services: Services, tenant: Tenant) -> None:
    cloud = Cloud(tenant, "us-west-1")
    await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region])
    await sync(tenant, provider)
    volume = (await found(tenant, provider, resource_subtype="volume"))[0]
    with pytest.raises(Conflict) as caught:
        await services.ask(StopResource(**tenant.envelope(), resource=volume.id))
    assert caught.value.code == "not_changeable"


async def test_the_clock_reads_what_was_never_read(start_replica: StartReplica, tenant: Tenant) -> None:
    await start_replica(replica="first", sync_check_every_s=0.2, **SETTLE)
    await start_replica(replica="second", sync_check_every_s=0.2, **SETTLE)
    cloud = Cloud(tenant, "eu-south-1")
    machine_id = await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region])

    async def holds() -> bool:
        return (await state(tenant, provider)).state == "fresh"

    await eventually(holds)
    assert [each.resource_id for each in await found(tenant, provider, resource_type="compute")] == [machine_id]
    assert {each.generation for each in (await state(tenant, provider)).scopes} == {1}
    assert not [event for event in tenant.services.events if isinstance(event, ResourceUpdated)]


async def test_another_replica_goes_on_with_a_sync_whose_replica_was_killed(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    first = await start_replica(replica="first", lease_s=2, sync_scopes_at_once=1, **SETTLE)
    cloud = Cloud(tenant, "ap-southeast-1")
    machine_id = await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region])
    slow = {"match": {"action": "DescribeVolumes", "region": cloud.region}, "latency_ms": 5000, "count": 1}
    tenant.aws.fault(**slow)
    accepted = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))

    async def is_in_the_middle() -> bool:
        return (
            bool((await state(tenant, provider)).scopes)
            and (await scope(tenant, provider, cloud.region, "volume")).is_reading
        )

    await eventually(is_in_the_middle)
    await first.kill()
    await start_replica(replica="second", lease_s=2, **SETTLE)
    assert (await tenant.done(accepted, timeout_s=90)).status == "succeeded"
    generations = {each.resource_subtype: each.generation for each in (await state(tenant, provider)).scopes}
    assert generations.pop("volume") == 2
    assert set(generations.values()) == {1}
    assert len([each for each in await found(tenant, provider) if each.resource_id == machine_id]) == 1


@pytest.mark.usefixtures("replica")
async def test_another_organization_sees_nothing_of_it(services: Services, tenant: Tenant, stranger: Tenant) -> None:
    cloud = Cloud(tenant, "me-south-1")
    machine_id = await cloud.machine()
    provider = await tenant.add_provider(regions=[cloud.region])
    await sync(tenant, provider)
    resource = await find(tenant, provider, machine_id)
    question = stranger.question()
    for request in (
        SyncProvider(**stranger.envelope(), provider_id=provider.id),
        GetProviderSync(**question, provider_id=provider.id),
        ListHistory(**question, resource=resource.id),
        GetDependencies(**question, resource=resource.id),
    ):
        with pytest.raises(NotFound):
            await services.ask(request)
    assert await found(stranger, provider) == []

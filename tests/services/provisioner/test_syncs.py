"""An account is read into the inventory: what is there is adopted, what changes is told, what goes is marked gone."""

import asyncio
from typing import Any

import pytest

from shared.clouds.models import MachineSpec, SnapshotSpec
from shared.clouds.registry import open_cloud
from shared.kit.errors import Conflict
from shared.kit.ids import new_id
from shared.messages.dependencies import DependencyGraph, GetDependencies
from shared.messages.history import ListHistory
from shared.messages.operations import Operation
from shared.messages.providers import Provider, RemoveProvider, UpdateProvider
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
    assert (operation.result["scopes"], operation.result["complete"]) == (3, 3)
    resource = await find(tenant, provider, machine_id)
    assert (resource.origin, resource.resource_status, resource.resource_name) == ("discovered", "running", "theirs")
    assert resource.tags == {"team": "music"}
    assert resource.configuration["instance_type"] == "t3.micro"
    event = await services.event(ResourceDiscovered, lambda event: event.aggregate_id == resource.id)
    assert (event.aggregate_version, event.resource.resource_id) == (1, machine_id)
    volumes = await found(tenant, provider, resource_subtype="volume")
    assert {each.resource_status for each in volumes} == {"available"}
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=volumes[0].id))
    assert resource.id in {node.id for node in graph.nodes} or len(volumes) > 1
    sync_state = await state(tenant, provider)
    assert (sync_state.state, sync_state.operation) == ("fresh", None)
    assert sync_state.oldest_age_s is not None
    again = await sync(tenant, provider)
    assert again.result == operation.result
    assert (await find(tenant, provider, machine_id)).version == 1
    history = (await services.ask(ListHistory(**tenant.question(), resource=resource.id))).items
    assert [entry.event for entry in history] == ["discovered"]

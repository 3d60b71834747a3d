"""Vultr's things over the real sagas: made, changed, read, told of, and removed; a domain's tags stay with us."""

from typing import Any

import pytest

from shared.bus.commands import durable_of
from shared.messages.dependencies import DependencyGraph, GetDependencies
from shared.messages.providers import Provider
from shared.messages.resources import DeleteResource, Resource, TagResource, UpdateResource
from shared.messages.scaling import ConfigureResource
from shared.messages.subjects import DEAD_STREAM, command_stream
from shared.messages.syncs import SyncProvider
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant, eventually

pytestmark = pytest.mark.anyio

REGION = "nrt"


@pytest.fixture
def tenant(services: Services, simulated_world: dict[str, SimulatedCloud], monkeypatch: pytest.MonkeyPatch) -> Tenant:
    vultr = simulated_world["vultr"]
    monkeypatch.setenv("CANOPY_VULTR_ENDPOINT_URL", vultr.endpoint_url)
    return Tenant(services, vultr)


async def made(
    tenant: Tenant, provider: Provider, kind: tuple[str, str], region: str = REGION, **configuration: Any
) -> Resource:
    accepted = await tenant.add_resource(
        provider, resource_name=kind[1].replace("_", "-"), region=region, resource_type=kind[0],
        resource_subtype=kind[1], configuration=configuration,
    )  # fmt: skip
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    return await tenant.get(accepted.resource.id)


async def test_a_balancer_in_a_network_and_the_name_that_leads_to_it(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(inventory_settle_s=0)
    provider = await tenant.add_provider(provider_name="vultr", regions=[REGION])
    network = await made(tenant, provider, ("network", "vpc"))
    balancer = await made(tenant, provider, ("load_balancer", "load_balancer"), network_id=network.resource_id)
    zone = await made(tenant, provider, ("dns", "dns_domain"), region="global", zone_name="story.example")
    records = [{"name": "www", "type": "A", "values": [balancer.address]}]
    desired = {**zone.configuration, "records": records}
    configured = await services.ask(ConfigureResource(**tenant.envelope(), resource=zone.id, configuration=desired))
    operation = await tenant.done(configured)
    assert operation.status == "succeeded", operation.error

    await services.ask(UpdateResource(**tenant.envelope(), resource=zone.id, tags={"team": "photos"}))

    async def tagged() -> bool:
        state = await services.bus.jetstream.consumer_info(command_stream("provisioner"), durable_of(TagResource))
        return state.delivered.consumer_seq > 0 and state.num_pending == state.num_ack_pending == 0

    await eventually(tagged)

    reading = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    assert (await tenant.done(reading)).status == "succeeded"
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=zone.id, depth=2))
    edges = {(edge.relation, edge.source, edge.target) for edge in graph.edges}
    of_balancer = f"load_balancer:{balancer.resource_id}"
    assert ("record", f"dns:{zone.resource_id}", of_balancer) in edges
    assert ("network", of_balancer, f"network:{network.resource_id}") in edges

    for resource in (zone, balancer, network):
        deletion = await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id))
        operation = await tenant.done(deletion)
        assert operation.status == "succeeded", operation.error
        assert (await tenant.get(resource.id)).resource_status == "terminated"
    assert (await tenant.get(zone.id)).tags == {"team": "photos"}
    assert (await services.bus.jetstream.stream_info(DEAD_STREAM)).state.messages == 0
    assert not {zone.resource_id, balancer.resource_id} & {each["id"] for each in tenant.aws.assets()}

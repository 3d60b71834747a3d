"""Google's composite things over the real sagas: made, changed, read, told of, and removed whole."""

import importlib
from typing import Any

import pytest

from shared.messages.dependencies import DependencyGraph, GetDependencies
from shared.messages.providers import Provider
from shared.messages.resources import DeleteResource, Resource
from shared.messages.scaling import ConfigureResource
from shared.messages.syncs import SyncProvider
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant

pytestmark = pytest.mark.anyio

REGION = "europe-west3"


@pytest.fixture
def tenant(services: Services, simulated_world: dict[str, SimulatedCloud], monkeypatch: pytest.MonkeyPatch) -> Tenant:
    importlib.import_module("google.cloud.compute_v1")  # seconds of a busy machine, which a request does not wait for
    gcp = simulated_world["gcp"]
    monkeypatch.setenv("CANOPY_GCP_ENDPOINT_URL", gcp.endpoint_url)
    return Tenant(services, gcp)


async def made(
    tenant: Tenant, provider: Provider, kind: tuple[str, str], *, region: str = "global", **configuration: Any
) -> Resource:
    accepted = await tenant.add_resource(
        provider, resource_name=kind[1].replace("_", "-"), region=region, resource_type=kind[0],
        resource_subtype=kind[1], configuration=configuration,
    )  # fmt: skip
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    return await tenant.get(accepted.resource.id)


async def test_a_network_the_names_that_only_it_sees_and_a_balancer_before_a_machine(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(inventory_settle_s=0)
    provider = await tenant.add_provider(provider_name="gcp", regions=[REGION])
    network = await made(tenant, provider, ("network", "vpc_network"))
    records = [{"name": "db", "type": "A", "values": ["10.0.0.2"]}]
    zone = await made(
        tenant, provider, ("dns", "cloud_dns_zone"), zone_name="inner.example", network_ids=[network.resource_id],
        records=records,
    )  # fmt: skip
    machine = await made(tenant, provider, ("compute", "gce_instance"), region=REGION)
    balancer = await made(
        tenant, provider, ("load_balancer", "application_load_balancer"), machines=[machine.resource_id]
    )
    desired = {**network.configuration, "internal_traffic": False}
    configured = await services.ask(ConfigureResource(**tenant.envelope(), resource=network.id, configuration=desired))
    operation = await tenant.done(configured)
    assert operation.status == "succeeded", operation.error

    reading = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    assert (await tenant.done(reading)).status == "succeeded"
    assert not (await tenant.get(network.id)).configuration["internal_traffic"]
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=zone.id, depth=1))
    edges = {(edge.relation, edge.source, edge.target) for edge in graph.edges}
    assert ("network", f"dns:{zone.resource_id}", f"network:{network.resource_id}") in edges

    graph = await services.ask(GetDependencies(**tenant.question(), resource=balancer.id, depth=1))
    edges = {(edge.relation, edge.source, edge.target) for edge in graph.edges}
    assert edges == {("target", f"load_balancer:{balancer.resource_id}", f"machine:{machine.resource_id}")}

    for resource in (balancer, zone, network):
        deletion = await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id))
        operation = await tenant.done(deletion)
        assert operation.status == "succeeded", operation.error
        assert (await tenant.get(resource.id)).resource_status == "terminated"
    left = {each["id"] for each in tenant.aws.assets()}
    assert not [each for each in left if zone.resource_id in each or network.resource_id.endswith(each)]

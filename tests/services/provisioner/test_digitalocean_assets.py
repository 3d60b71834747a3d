"""DigitalOcean's things over the real sagas: a bucket with what is before it, and a volume that is one thing."""

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

REGION = "sgp1"


@pytest.fixture
def tenant(services: Services, simulated_world: dict[str, SimulatedCloud], monkeypatch: pytest.MonkeyPatch) -> Tenant:
    digitalocean = simulated_world["digitalocean"]
    monkeypatch.setenv("CANOPY_DIGITALOCEAN_ENDPOINT_URL", digitalocean.endpoint_url)
    return Tenant(services, digitalocean)


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


async def test_a_bucket_the_endpoint_before_it_and_a_volume_that_is_one_thing(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(inventory_settle_s=0)
    provider = await tenant.add_provider(provider_name="digitalocean", regions=[REGION])
    bucket = await made(tenant, provider, ("storage", "spaces_bucket"))
    endpoint = await made(tenant, provider, ("cdn", "cdn_endpoint"), region="global", origin=bucket.address)
    volume = await made(tenant, provider, ("storage", "volume"))
    desired = {**volume.configuration, "size_gib": 20}
    configured = await services.ask(ConfigureResource(**tenant.envelope(), resource=volume.id, configuration=desired))
    operation = await tenant.done(configured)
    assert operation.status == "succeeded", operation.error

    reading = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    operation = await tenant.done(reading)
    assert operation.status == "succeeded", operation.error
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=endpoint.id))
    edges = {(edge.relation, edge.source, edge.target, edge.hard) for edge in graph.edges}
    assert ("origin", f"cdn:{endpoint.resource_id}", f"storage:{bucket.resource_id}", True) in edges
    read = await tenant.get(volume.id)
    assert (read.resource_subtype, read.configuration["size_gib"]) == ("volume", 20)

    for resource in (endpoint, bucket, volume):
        deletion = await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id))
        operation = await tenant.done(deletion)
        assert operation.status == "succeeded", operation.error
        assert (await tenant.get(resource.id)).resource_status == "terminated"
    assert volume.resource_id not in {each["id"] for each in tenant.aws.volumes()}

"""Azure's composite things over the real sagas: what is made in several calls is made, read and removed whole."""

from typing import Any

import pytest

from shared.messages.dependencies import DependencyGraph, GetDependencies
from shared.messages.providers import Provider
from shared.messages.resources import DeleteResource, Resource
from shared.messages.syncs import SyncProvider
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant

pytestmark = pytest.mark.anyio

REGION = "germanywestcentral"


@pytest.fixture
def tenant(services: Services, simulated_world: dict[str, SimulatedCloud], monkeypatch: pytest.MonkeyPatch) -> Tenant:
    azure = simulated_world["azure"]
    monkeypatch.setenv("CANOPY_AZURE_ENDPOINT_URL", azure.endpoint_url)
    return Tenant(services, azure)


async def made(
    tenant: Tenant, provider: Provider, kind: tuple[str, str], region: str, **configuration: Any
) -> Resource:
    accepted = await tenant.add_resource(
        provider, resource_name=kind[1].replace("_", "-"), region=region, resource_type=kind[0],
        resource_subtype=kind[1], configuration=configuration,
    )  # fmt: skip
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    return await tenant.get(accepted.resource.id)


async def test_a_database_and_a_balancer_with_its_name_and_a_door_before_it(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(inventory_settle_s=0)
    provider = await tenant.add_provider(provider_name="azure", regions=[REGION])
    database = await made(tenant, provider, ("database", "sql_database"), REGION)
    balancer = await made(tenant, provider, ("load_balancer", "load_balancer"), REGION, public=True)
    assert (database.resource_status, balancer.resource_status) == ("running", "running")
    # A zone and its record are made in two calls: when the second fails, a repeat completes what is there.
    action = "record_sets.create_or_update"
    tenant.aws.fault(match={"service": "azure", "action": action}, status=503, code="unavailable", count=1)
    records = [{"name": "www", "type": "A", "values": [balancer.address]}]
    zone = await made(tenant, provider, ("dns", "dns_zone"), "global", zone_name="over-sagas.example", records=records)
    origin = {"origin": balancer.address, "origin_protocol": "http"}
    door = await made(tenant, provider, ("cdn", "front_door"), "global", **origin)

    reading = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    assert (await tenant.done(reading)).status == "succeeded"
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=zone.id, depth=1))
    edges = {(edge.relation, edge.source, edge.target) for edge in graph.edges}
    assert ("record", f"dns:{zone.resource_id}", f"load_balancer:{balancer.resource_id}") in edges
    graph = await services.ask(GetDependencies(**tenant.question(), resource=door.id, depth=1))
    edges = {(edge.relation, edge.source, edge.target) for edge in graph.edges}
    assert ("origin", f"cdn:{door.resource_id}", f"load_balancer:{balancer.resource_id}") in edges

    for resource in (door, zone, balancer, database):
        deletion = await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id))
        operation = await tenant.done(deletion)
        assert operation.status == "succeeded", operation.error
        assert (await tenant.get(resource.id)).resource_status == "terminated"
    tenant.aws.advance()  # a database is gone before the server that goes with it
    assert not [each for each in tenant.aws.assets() if each["region"] == REGION or "over-sagas" in each["id"]]

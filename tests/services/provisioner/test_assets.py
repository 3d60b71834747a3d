"""What is no machine lives the machines' life: made, changed, read with the account, told of, removed."""

from typing import Any

import pytest

from shared.messages.dependencies import DependencyGraph, GetDependencies
from shared.messages.operations import Operation
from shared.messages.providers import Provider
from shared.messages.resources import DeleteResource, Resource, ResourceScaled
from shared.messages.scaling import ConfigureResource
from shared.messages.syncs import SyncProvider
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant

pytestmark = pytest.mark.anyio

REGION = "eu-north-1"


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


async def removed(tenant: Tenant, resource: Resource) -> Operation:
    return await tenant.done(
        await tenant.services.ask(DeleteResource(**tenant.envelope(), resource=resource.id)), timeout_s=120
    )


async def test_a_bucket_and_what_is_served_from_it_are_made_changed_read_and_removed(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(inventory_settle_s=0)
    provider = await tenant.add_provider(regions=[REGION])
    bucket = await made(tenant, provider, ("storage", "s3_bucket"), REGION)
    assert bucket.resource_status == "available"
    cdn = await made(tenant, provider, ("cdn", "cloudfront_distribution"), "global", bucket=bucket.resource_id)
    assert (cdn.resource_status, cdn.region) == ("running", "global")
    records = [{"name": "cdn.example.com", "type": "CNAME", "values": [f"{cdn.address}."]}]
    zone = await made(tenant, provider, ("dns", "route53_zone"), "global", name="example.com", records=records)

    desired = {**bucket.configuration, "versioning": True}
    configured = await services.ask(ConfigureResource(**tenant.envelope(), resource=bucket.id, configuration=desired))
    assert (await tenant.done(configured)).status == "succeeded"
    changed = await services.event(ResourceScaled, lambda event: event.aggregate_id == bucket.id)
    assert (changed.before["versioning"], changed.after["versioning"]) == (False, True)

    reading = await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id))
    assert (await tenant.done(reading)).result["complete"] == 9
    graph: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=zone.id, depth=3))
    edges = {(edge.relation, edge.source, edge.target) for edge in graph.edges}
    assert ("record", f"dns:{zone.resource_id}", f"cdn:{cdn.resource_id}") in edges
    assert ("origin", f"cdn:{cdn.resource_id}", f"storage:{bucket.resource_id}") in edges
    above: DependencyGraph = await services.ask(GetDependencies(**tenant.question(), resource=bucket.id, depth=3))
    assert above.blast_radius.resources == [cdn.id]
    assert f"dns:{zone.resource_id}" in {node.key for node in above.nodes}

    for resource in (zone, cdn, bucket):
        assert (await removed(tenant, resource)).status == "succeeded"
        assert (await tenant.get(resource.id)).resource_status == "terminated"
    ours = {each["id"] for each in tenant.aws.assets()}
    assert not ours & {bucket.resource_id, cdn.resource_id, zone.resource_id}

"""Linode's volumes and buckets over the real sagas: each is one thing of the inventory, with tags or without."""

from typing import Any

import pytest

from shared.messages.providers import Provider
from shared.messages.resources import DeleteResource, ListResources, Resource
from shared.messages.scaling import ConfigureResource
from shared.messages.syncs import SyncProvider
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import Accepted, StartReplica, Tenant

pytestmark = pytest.mark.anyio

REGION = "jp-osa"  # no other test makes anything here


@pytest.fixture
def tenant(services: Services, simulated_world: dict[str, SimulatedCloud], monkeypatch: pytest.MonkeyPatch) -> Tenant:
    linode = simulated_world["linode"]
    monkeypatch.setenv("CANOPY_LINODE_ENDPOINT_URL", linode.endpoint_url)
    return Tenant(services, linode)


async def succeeded(tenant: Tenant, accepted: Accepted) -> None:
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error


async def made(tenant: Tenant, provider: Provider, subtype: str, **configuration: Any) -> Resource:
    accepted = await tenant.add_resource(
        provider, resource_name=subtype.replace("_", "-"), region=REGION, resource_type="storage",
        resource_subtype=subtype, configuration=configuration,
    )  # fmt: skip
    await succeeded(tenant, accepted)
    return await tenant.get(accepted.resource.id)


async def test_what_was_made_is_read_once_and_keeps_its_tags(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(inventory_settle_s=0)
    provider = await tenant.add_provider(provider_name="linode", regions=[REGION])
    volume, bucket = await made(tenant, provider, "volume"), await made(tenant, provider, "object_storage_bucket")
    desired = {**volume.configuration, "size_gib": 50}
    await succeeded(
        tenant, await services.ask(ConfigureResource(**tenant.envelope(), resource=volume.id, configuration=desired))
    )
    await succeeded(tenant, await services.ask(SyncProvider(**tenant.envelope(), provider_id=provider.id)))
    listed = await services.ask(ListResources(**tenant.question(), provider_id=provider.id, resource_type="storage"))
    mine = {each.id: each for each in listed.items if each.region == REGION}
    assert mine.keys() == {volume.id, bucket.id}
    assert mine[volume.id].configuration["size_gib"] == 50
    assert {each.resource_status for each in mine.values()} == {"available"}
    assert [each.tags for each in mine.values()] == [{"team": "photos"}] * 2
    for resource in (volume, bucket):
        await succeeded(tenant, await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id)))
        assert (await tenant.get(resource.id)).resource_status == "terminated"
    assert volume.resource_id not in {each["id"] for each in tenant.aws.volumes()}
    assert bucket.resource_id not in {each["id"] for each in tenant.aws.assets()}

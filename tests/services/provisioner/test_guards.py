"""What others cannot do without is not stopped or removed by mistake."""

import pytest
from sqlalchemy import insert

from services.provisioner.storage.tables import resource_dependencies
from shared.kit.errors import Conflict, PermissionDenied
from shared.messages.groups import ScaleGroup
from shared.messages.resources import DeleteResource, Resource, StopResource
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import Tenant

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("provisioner")]


async def stand_on(tenant: Tenant, source: Resource, target: Resource, *, hard: bool = True) -> None:
    """An edge as a read of the account derives it."""
    edge = {
        "source_id": source.id, "relation": "replica", "target": f"machine:{target.resource_id}", "hard": hard,
        "organization_id": source.organization_id, "provider_id": source.provider_id, "region": source.region,
    }  # fmt: skip
    database = tenant.services.database("provisioner")
    async with database.work(tenant.context) as work:
        await work.execute(insert(resource_dependencies).values(edge))
    await database.close()


async def test_hard_dependents_are_named_and_force_needs_a_manager(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    target, source, loose = [await tenant.running(provider) for _ in range(3)]
    await stand_on(tenant, source, target)
    await stand_on(tenant, loose, target, hard=False)
    for cls in (StopResource, DeleteResource):
        with pytest.raises(Conflict) as refused:
            await services.ask(cls(**tenant.envelope(), resource=target.id))
        assert refused.value.code == "has_dependents"
        assert source.resource_name in refused.value.detail
        assert loose.resource_name not in refused.value.detail
        with pytest.raises(PermissionDenied):
            await services.ask(cls(**tenant.envelope(role="engineer"), resource=target.id, force=True))
    with pytest.raises(Conflict) as guarded:
        await services.ask(ScaleGroup(**tenant.envelope(), resource=target.id, action="scale_in"))
    assert guarded.value.code == "too_few_members"
    accepted = await services.ask(StopResource(**tenant.envelope(role="manager"), resource=target.id, force=True))
    assert (await tenant.done(accepted)).status == "succeeded"

    gone = await services.ask(DeleteResource(**tenant.envelope(), resource=source.id))
    assert (await tenant.done(gone)).status == "succeeded"
    removed = await services.ask(DeleteResource(**tenant.envelope(), resource=target.id))
    assert (await tenant.done(removed)).status == "succeeded"


async def test_a_copy_that_others_stand_on_is_not_scaled_in_without_force(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    original = await tenant.running(provider)
    out = await services.ask(ScaleGroup(**tenant.envelope(), resource=original.id, action="scale_out"))
    await tenant.done(out)
    copy = await tenant.get(out.members[0].resource)
    await stand_on(tenant, original, copy)
    with pytest.raises(Conflict) as refused:
        await services.ask(ScaleGroup(**tenant.envelope(), resource=original.id, action="scale_in"))
    assert refused.value.code == "has_dependents"
    assert (await tenant.get(copy.id)).resource_status == "running"

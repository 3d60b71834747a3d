"""A resource becomes several and fewer again: which are made, which go, what is remembered, what is refused."""

from typing import Any

import pytest

from shared.kit.errors import Conflict, NotFound, PermissionDenied
from shared.messages.base import Page
from shared.messages.groups import AcceptedGroup, ScaleGroup
from shared.messages.resources import DeleteResource, ListResources, Resource, ResourceCostChanged
from shared.messages.scaling import ListScalings, Scaling
from tests.fixtures.services import Services, now
from tests.services.provisioner.conftest import Tenant, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("provisioner")]

RUN = {"action": "RunInstances"}


def scale(tenant: Tenant, resource: Resource, action: str, count: int = 1, **fields: Any) -> ScaleGroup:
    role = {"role": fields.pop("role")} if "role" in fields else {}
    return ScaleGroup(**tenant.envelope(**role), resource=resource.id, action=action, count=count, **fields)


async def scaled(tenant: Tenant, resource: Resource, action: str, count: int = 1, **fields: Any) -> list[Resource]:
    """The members that were made or removed."""
    accepted: AcceptedGroup = await tenant.services.ask(scale(tenant, resource, action, count, **fields))
    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    assert (operation.progress.completed, operation.progress.total) == (count, count)
    return [await tenant.get(each.resource) for each in accepted.members]


async def living(tenant: Tenant, resource: Resource) -> list[str]:
    page: Page[Resource] = await tenant.services.ask(
        ListResources(**tenant.question(), group=resource.id, resource_status="running", sort="resource_name")
    )
    return [each.resource_name for each in page.items]


async def history(tenant: Tenant, resource: Resource) -> list[Scaling]:
    page: Page[Scaling] = await tenant.services.ask(ListScalings(**tenant.question(), resource=resource.id))
    return page.items


async def priced(tenant: Tenant, resource: Resource, hourly: float) -> None:
    tracking = {"hourly": hourly, "included": ["t3.micro"], "currency": "USD"}
    event = ResourceCostChanged(
        **tenant.context.about(resource.id, 1, now()), resource_id=resource.id, cost_tracking=tracking
    )
    await tenant.services.publish(event)

    async def known() -> bool:
        return bool((await tenant.get(resource.id)).cost_tracking)

    await eventually(known)


async def test_copies_come_and_the_newest_go_first(services: Services, tenant: Tenant) -> None:
    original = await tenant.running(await tenant.add_provider(), configuration={"instance_type": "t3.micro"})
    name = original.resource_name
    await priced(tenant, original, 0.0104)
    made = await scaled(tenant, original, "scale_out", 2, reason="more guests", trigger="auto_cpu")
    assert [each.resource_name for each in made] == [f"{name}-1", f"{name}-2"]
    for each in made:
        assert (each.resource_status, each.group_id, each.origin) == ("running", original.id, "provisioned")
        for field in ("configuration", "tags", "project", "environment", "region", "is_wedding_critical"):
            assert getattr(each, field) == getattr(original, field)
    assert (await tenant.get(original.id)).group_id == original.id
    assert await living(tenant, original) == [name, f"{name}-1", f"{name}-2"]
    [kept] = await history(tenant, original)
    assert (kept.action, kept.trigger, kept.reason, kept.success) == ("scale_out", "auto_cpu", "more guests", True)
    assert (kept.before_configuration, kept.after_configuration) == ({"count": 1}, {"count": 3})
    assert kept.cost_impact == {
        "hourly_before": 0.0104, "hourly_after": 0.0312, "hourly_change": 0.0208, "currency": "USD",
    }  # fmt: skip
    assert kept.performance_impact == {"vcpu": {"before": 2, "after": 6}, "memory_gib": {"before": 1.0, "after": 3.0}}

    [gone] = await scaled(tenant, made[0], "scale_in")
    assert (gone.id, gone.resource_status) == (made[1].id, "terminated")
    assert await living(tenant, original) == [name, f"{name}-1"]
    [again] = await scaled(tenant, made[0], "scale_out")
    assert again.resource_name == f"{name}-2"
    newest, middle, _ = await history(tenant, original)
    assert (newest.after_configuration, middle.after_configuration) == ({"count": 3}, {"count": 2})
    assert middle.cost_impact is None  # costs has not said what a copy costs


async def test_the_original_goes_by_force_only_and_last(services: Services, tenant: Tenant) -> None:
    original = await tenant.running(await tenant.add_provider())
    with pytest.raises(Conflict) as alone:
        await services.ask(scale(tenant, original, "scale_in"))
    assert alone.value.code == "too_few_members"
    assert await history(tenant, original) == []
    [copy] = await scaled(tenant, original, "scale_out")
    with pytest.raises(Conflict, match="the original needs force"):
        await services.ask(scale(tenant, original, "scale_in", 2))
    both = await scaled(tenant, original, "scale_in", 2, force=True)
    assert [each.id for each in both] == [copy.id, original.id]
    assert [each.resource_status for each in both] == ["terminated"] * 2
    with pytest.raises(Conflict) as ended:
        await services.ask(scale(tenant, original, "scale_out"))
    assert ended.value.code == "already_terminated"


async def test_critical_copies_go_by_force_and_a_manager_only(services: Services, tenant: Tenant) -> None:
    original = await tenant.running(await tenant.add_provider(), is_wedding_critical=True)
    [copy] = await scaled(tenant, original, "scale_out")
    assert copy.is_wedding_critical
    with pytest.raises(Conflict) as refused:
        await services.ask(scale(tenant, original, "scale_in"))
    assert refused.value.code == "critical_resource"
    with pytest.raises(PermissionDenied):
        await services.ask(scale(tenant, original, "scale_in", force=True, role="engineer"))
    [gone] = await scaled(tenant, original, "scale_in", force=True, role="manager")
    assert gone.id == copy.id


async def test_a_copy_that_cannot_be_had_is_told_and_leaves_nothing(services: Services, tenant: Tenant) -> None:
    original = await tenant.running(await tenant.add_provider())
    tenant.aws.fault(match=RUN, status=400, code="VcpuLimitExceeded", count=1)
    accepted: AcceptedGroup = await services.ask(scale(tenant, original, "scale_out", 2))
    with pytest.raises(Conflict) as busy:
        await services.ask(scale(tenant, original, "scale_out"))
    assert busy.value.code == "operation_in_progress"
    operation = await tenant.done(accepted)
    assert operation.error is not None
    assert operation.result is not None
    assert (operation.status, operation.error["code"]) == ("failed", "group_incomplete")
    assert (operation.result["before"], operation.result["after"], operation.result["failed"]) == (1, 2, 1)
    members = [await tenant.get(each.resource) for each in accepted.members]
    assert sorted(each.resource_status for each in members) == ["running", "terminated"]
    assert len(await living(tenant, original)) == 2
    [kept] = await history(tenant, original)
    assert kept.success is False
    assert "VcpuLimitExceeded" in str(kept.error)


async def test_who_is_asked_for_two_copies_at_once_makes_each_name_once(services: Services, tenant: Tenant) -> None:
    original = await tenant.running(await tenant.add_provider())
    first = await services.ask(scale(tenant, original, "scale_out"))
    deleting = await services.ask(DeleteResource(**tenant.envelope(), resource=original.id))
    assert first.members[0].resource_name == f"{original.resource_name}-1"
    for operation in await tenant.all_done([first, deleting]):
        assert operation.status == "succeeded", operation.error
    [copy] = [await tenant.get(each.resource) for each in first.members]
    [second] = await scaled(tenant, copy, "scale_out")
    assert (second.resource_name, second.group_id) == (f"{original.resource_name}-2", original.id)


async def test_another_organization_cannot_scale_it(services: Services, tenant: Tenant, stranger: Tenant) -> None:
    original = await tenant.running(await tenant.add_provider())
    with pytest.raises(NotFound):
        await services.ask(scale(stranger, original, "scale_out"))

"""A resource gets another size: what is accepted, what is refused, what is remembered, against the simulated AWS."""

from typing import Any

import pytest

from shared.kit.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.base import Page
from shared.messages.resources import (
    AcceptedResource,
    Resource,
    ResourceCostChanged,
    ResourceEvent,
    ResourceScaled,
    StopResource,
)
from shared.messages.scaling import (
    CompareResource,
    ConfiguredResource,
    ConfigureResource,
    ListScalings,
    ResourceChanges,
    ScaleResource,
    Scaling,
)
from tests.fixtures.services import Services, now
from tests.services.provisioner.conftest import Tenant, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("provisioner")]


def scale(tenant: Tenant, resource: Resource, **fields: Any) -> ScaleResource:
    return ScaleResource(**tenant.envelope(), **{"resource": resource.id, "action": "scale_up", **fields})


def configure(tenant: Tenant, resource: Resource, configuration: dict[str, Any], **fields: Any) -> ConfigureResource:
    return ConfigureResource(**tenant.envelope(), resource=resource.id, configuration=configuration, **fields)


async def history(tenant: Tenant, resource: Resource, **fields: Any) -> Page[Scaling]:
    found: Page[Scaling] = await tenant.services.ask(ListScalings(**tenant.question(), resource=resource.id, **fields))
    return found


def machine(tenant: Tenant, resource: Resource) -> dict[str, Any]:
    return next(each for each in tenant.aws.machines() if each["id"] == resource.resource_id)


def cost(tenant: Tenant, resource: Resource, version: int, hourly: float | None, *included: str) -> ResourceCostChanged:
    tracking = {"hourly": hourly, "included": list(included), "currency": "USD"}
    return ResourceCostChanged(
        **tenant.context.about(resource.id, version, now()), resource_id=resource.id, cost_tracking=tracking
    )


async def stopped(tenant: Tenant) -> Resource:
    resource = await tenant.running(await tenant.add_provider())
    await tenant.done(await tenant.services.ask(StopResource(**tenant.envelope(), resource=resource.id)))
    return await tenant.get(resource.id)


async def test_a_running_resource_gets_the_next_size_and_runs_again(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    accepted: AcceptedResource = await services.ask(scale(tenant, resource, reason="the party grows"))
    assert accepted.operation.kind == "resource.scale"
    assert accepted.resource.resource_status == "stopping"
    [begun] = (await history(tenant, resource)).items
    assert (begun.success, begun.duration_s, begun.id) == (None, None, accepted.operation.id)

    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    assert operation.result == {"resource_id": resource.resource_id, "before": "t3.micro", "after": "t3.small"}
    found = await tenant.get(resource.id)
    assert (found.resource_status, found.size_category, found.resource_id) == ("running", "small", resource.resource_id)
    assert found.configuration == {**resource.configuration, "instance_type": "t3.small"}
    assert (machine(tenant, resource)["state"], machine(tenant, resource)["instance_type"]) == ("running", "t3.small")

    said = await services.event(ResourceScaled, lambda event: event.aggregate_id == resource.id)
    assert (said.resource, said.action, said.trigger) == (found, "scale_up", "manual")
    assert (said.before["instance_type"], said.after) == ("t3.micro", found.configuration)
    ways = [
        (event.resource.resource_status, event.resource.configuration["instance_type"])
        for event in services.events
        if isinstance(event, ResourceEvent) and event.aggregate_id == resource.id
        and event.aggregate_version > resource.version
    ]  # fmt: skip
    assert ways == [
        ("stopping", "t3.micro"), ("stopped", "t3.micro"), ("starting", "t3.small"), ("running", "t3.small"),
    ]  # fmt: skip
    [kept] = (await history(tenant, resource)).items
    assert (kept.action, kept.trigger, kept.reason, kept.success, kept.error) == (
        "scale_up", "manual", "the party grows", True, None,
    )  # fmt: skip
    assert kept.performance_impact == {"vcpu": {"before": 2, "after": 2}, "memory_gib": {"before": 1.0, "after": 2.0}}
    assert kept.cost_impact is None
    assert kept.duration_s is not None
    assert kept.finished_at is not None
    await services.event(AuditRecorded, lambda event: event.action == "resource.scaled")


async def test_a_stopped_resource_stays_stopped_and_its_history_is_paged(services: Services, tenant: Tenant) -> None:
    resource = await stopped(tenant)
    for wanted in ("t3.medium", "t3.nano"):
        accepted = await services.ask(
            scale(tenant, resource, action="configuration_change", instance_type=wanted, trigger="scheduled")
        )
        assert accepted.resource.resource_status == "stopped"
        assert (await tenant.done(accepted)).status == "succeeded"
    assert (await tenant.get(resource.id)).resource_status == "stopped"
    assert (machine(tenant, resource)["state"], machine(tenant, resource)["instance_type"]) == ("stopped", "t3.nano")
    first = await history(tenant, resource, limit=1)
    second = await history(tenant, resource, limit=1, cursor=first.next_cursor)
    assert [each.after_configuration["instance_type"] for each in (*first.items, *second.items)] == [
        "t3.nano", "t3.medium",
    ]  # fmt: skip
    assert (first.items[0].trigger, second.next_cursor) == ("scheduled", None)


async def test_what_cannot_be_scaled_is_refused_with_its_reason(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    for fields in (
        {"action": "configuration_change"},
        {"instance_type": "not a type"},
        {"instance_type": "t4g.large"},
        {"instance_type": "t3.nano"},
    ):
        with pytest.raises(InvalidInput) as refused:
            await services.ask(scale(tenant, resource, **fields))
        assert [each.pointer for each in refused.value.errors] == ["/instance_type"]
    with pytest.raises(Conflict) as same:
        await services.ask(scale(tenant, resource, action="configuration_change", instance_type="t3.micro"))
    assert same.value.code == "nothing_to_change"
    assert (await tenant.get(resource.id)).version == resource.version
    assert (await history(tenant, resource)).items == []
    with pytest.raises(NotFound):
        await services.ask(ListScalings(**tenant.question(), resource=new_id()))


async def test_a_critical_resource_is_scaled_by_force_and_a_manager_only(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider(), is_wedding_critical=True)
    with pytest.raises(Conflict) as refused:
        await services.ask(scale(tenant, resource))
    assert refused.value.code == "critical_resource"
    with pytest.raises(Conflict):
        await services.ask(configure(tenant, resource, {"instance_type": "t3.small"}))
    with pytest.raises(PermissionDenied):
        await services.ask(scale(tenant, resource, force=True).model_copy(update={"role": "operator"}))
    accepted = await services.ask(scale(tenant, resource, force=True).model_copy(update={"role": "manager"}))
    with pytest.raises(Conflict, match="at work"):
        await services.ask(scale(tenant, resource, force=True))
    assert (await tenant.done(accepted)).status == "succeeded"


async def test_another_organization_sees_nothing_of_it(services: Services, tenant: Tenant, stranger: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    with pytest.raises(NotFound):
        await services.ask(scale(stranger, resource))
    with pytest.raises(NotFound):
        await history(stranger, resource)


async def test_the_cost_of_both_sizes_is_remembered_once_costs_has_said_them(
    services: Services, tenant: Tenant
) -> None:
    resource = await tenant.running(await tenant.add_provider())
    await services.publish(cost(tenant, resource, 1, 0.0104, "t3.micro"))

    async def priced() -> bool:
        return bool((await tenant.get(resource.id)).cost_tracking)

    await eventually(priced)
    assert (await tenant.done(await services.ask(scale(tenant, resource)))).status == "succeeded"
    await services.publish(cost(tenant, resource, 2, 0.0, "ebs:gp3"))
    await services.publish(cost(tenant, resource, 3, 0.0208, "t3.small"))

    async def known() -> bool:
        return (await history(tenant, resource)).items[0].cost_impact is not None

    await eventually(known)
    assert (await history(tenant, resource)).items[0].cost_impact == {
        "hourly_before": 0.0104, "hourly_after": 0.0208, "hourly_change": 0.0104, "currency": "USD",
    }  # fmt: skip


async def test_a_desired_configuration_is_compared_and_then_brought_about(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    wanted = {"instance_type": "t3.small", "monitoring": "basic"}
    compared: ResourceChanges = await services.ask(
        CompareResource(
            **tenant.question(), resource=resource.id, configuration={**wanted, "volume_size_gib": 20}, project="party"
        )
    )
    assert [each.field for each in compared.in_place] == ["/project"]
    assert [(each.field, each.before, each.after) for each in compared.needs_stop] == [
        ("/configuration/instance_type", "t3.micro", "t3.small")
    ]
    assert [each.field for each in compared.replace] == ["/configuration/volume_size_gib"]
    assert (await tenant.get(resource.id)).version == resource.version

    configured: ConfiguredResource = await services.ask(configure(tenant, resource, wanted, project="party"))
    assert configured.operation is not None
    assert (configured.resource.project, configured.resource.resource_status) == ("party", "stopping")
    assert configured.changes.replace == []
    accepted = AcceptedResource(operation=configured.operation, resource=configured.resource)
    assert (await tenant.done(accepted)).status == "succeeded"
    found = await tenant.get(resource.id)
    assert (found.configuration["instance_type"], found.project) == ("t3.small", "party")
    assert [each.action for each in (await history(tenant, resource)).items] == ["scale_up"]


async def test_what_only_a_new_resource_can_have_changes_nothing_at_all(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    with pytest.raises(InvalidInput) as refused:
        await services.ask(
            configure(
                tenant, resource, {"instance_type": "t3.small", "availability_zone": "us-east-1f"}, project="party"
            )
        )
    assert refused.value.code == "needs_replacement"
    assert [each.pointer for each in refused.value.errors] == ["/configuration/availability_zone"]
    with pytest.raises(InvalidInput) as wrong:
        await services.ask(configure(tenant, resource, {"instance_type": 3}))
    assert [each.pointer for each in wrong.value.errors] == ["/configuration/instance_type"]
    with pytest.raises(InvalidInput) as other:
        await services.ask(configure(tenant, resource, {"instance_type": "t4g.small"}))
    assert [each.pointer for each in other.value.errors] == ["/configuration/instance_type"]
    assert await tenant.get(resource.id) == resource


async def test_a_configuration_that_it_has_already_begins_nothing(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    configured: ConfiguredResource = await services.ask(configure(tenant, resource, resource.configuration))
    assert (configured.operation, configured.resource) == (None, resource)
    renamed: ConfiguredResource = await services.ask(configure(tenant, resource, {}, resource_name="other"))
    assert (renamed.operation, renamed.resource.resource_name) == (None, "other")

"""The life of a resource: provision, read, list, change, stop, start, terminate, against the simulated AWS."""

import json
from typing import Any

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.registry import open_cloud
from shared.kit.errors import Conflict, InvalidInput, NotFound, PermissionDenied, Stale
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.context import Context
from shared.messages.resources import (
    DeleteResource,
    GetResource,
    ListInventory,
    ListResources,
    Resource,
    ResourceCostChanged,
    ResourceHealthChanged,
    ResourceRequested,
    ResourceStarted,
    ResourceStopped,
    ResourceTerminated,
    StartResource,
    StopResource,
    UpdateResource,
)
from tests.fixtures.services import Services, now
from tests.services.provisioner.conftest import Tenant, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("provisioner")]


async def test_a_resource_lives_from_request_to_termination(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    accepted = await tenant.add_resource(provider, resource_name=f"web-{new_id()}")
    assert (accepted.resource.resource_status, accepted.operation.status) == ("provisioning", "accepted")
    resource_id = accepted.resource.id
    await services.event(ResourceRequested, lambda event: event.aggregate_id == resource_id)

    assert (await tenant.done(accepted)).status == "succeeded"
    running = await tenant.get(resource_id)
    [machine] = tenant.machines(accepted)
    assert running.resource_status == "running"
    assert running.resource_id == machine["id"]
    assert running.private_ip
    assert running.availability_zone == machine["availability_zone"]
    assert machine["tags"].items() >= {
        "Name": running.resource_name, "Environment": "production", "Project": "wedding", "team": "photos",
    }.items()  # fmt: skip
    started = await services.event(ResourceStarted, lambda event: event.aggregate_id == resource_id)
    assert started.resource == running

    stopping = await services.ask(StopResource(**tenant.envelope(), resource=resource_id))
    assert stopping.resource.resource_status == "stopping"
    with pytest.raises(Conflict, match="at work") as refused:
        await services.ask(DeleteResource(**tenant.envelope(), resource=resource_id))
    assert refused.value.code == "operation_in_progress"
    assert (await tenant.done(stopping)).status == "succeeded"
    assert (await tenant.get(resource_id)).resource_status == "stopped"
    await services.event(ResourceStopped, lambda event: event.aggregate_id == resource_id)

    with pytest.raises(Conflict) as refused:
        await services.ask(StopResource(**tenant.envelope(), resource=resource_id))
    assert refused.value.code == "wrong_state"

    starting = await services.ask(StartResource(**tenant.envelope(), resource=resource_id))
    assert starting.resource.resource_status == "starting"
    assert (await tenant.done(starting)).status == "succeeded"

    removing = await services.ask(DeleteResource(**tenant.envelope(), resource=resource_id))
    assert (await tenant.done(removing)).status == "succeeded"
    gone = await tenant.get(resource_id)
    assert gone.resource_status == "terminated"
    assert gone.terminated_at is not None
    assert [each["state"] for each in tenant.machines(accepted)] == ["terminated"]
    await services.event(ResourceTerminated, lambda event: event.aggregate_id == resource_id)
    with pytest.raises(Conflict) as refused:
        await services.ask(DeleteResource(**tenant.envelope(), resource=resource_id))
    assert refused.value.code == "already_terminated"

    actions = [event.action for event in services.events if isinstance(event, AuditRecorded)]
    assert {"resource.create", "resource.started", "resource.stop", "resource.terminated"} <= set(actions)


BAD_INPUT: list[tuple[dict[str, Any], str, str]] = [
    ({"configuration": {"instance_type": 7}}, "/configuration/instance_type", "invalid_input"),
    ({"configuration": {"nonsense": 1}}, "/configuration/nonsense", "invalid_input"),
    ({"resource_subtype": "abacus"}, "/resource_subtype", "unsupported_resource_type"),
    ({"resource_type": "analytics", "resource_subtype": "cube"}, "/resource_type", "unsupported_resource_type"),
    ({"region": "eu-west-1"}, "/region", "invalid_input"),
    ({"configuration": {"availability_zone": "us-east-1z"}}, "/configuration/availability_zone", "invalid_input"),
    ({"tags": {"Name": "mine"}}, "/tags/Name", "invalid_input"),
    ({"tags": {"canopy:token": "forged"}}, "/tags/canopy:token", "invalid_input"),
    ({"tags": {"AWS:x": "y"}}, "/tags/AWS:x", "invalid_input"),
    ({"tags": {"k" * 129: "y"}}, "/tags/" + "k" * 129, "invalid_input"),
    ({"tags": {"k": "v" * 257}}, "/tags/k", "invalid_input"),
    ({"resource_name": "web<1>"}, "/resource_name", "invalid_input"),
    ({"provider_id": new_id()}, "/provider_id", "invalid_input"),
]


async def test_bad_input_names_its_field_and_stores_nothing(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    for fields, pointer, code in BAD_INPUT:
        with pytest.raises(InvalidInput) as refused:
            await tenant.add_resource(provider, **fields)
        assert refused.value.code == code, pointer
        assert pointer in [error.pointer for error in refused.value.errors]
    page = await services.ask(ListResources(**tenant.question()))
    assert page.items == []


async def test_an_unsupported_type_is_named(tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    with pytest.raises(InvalidInput, match="Unsupported resource type: analytics"):
        await tenant.add_resource(provider, resource_type="analytics", resource_subtype="cube")


async def test_the_same_key_gives_the_same_resource_and_another_body_is_refused(
    services: Services, tenant: Tenant
) -> None:
    provider = await tenant.add_provider()
    first = await services.ask(tenant.create_resource(provider, "key-1"))
    assert await services.ask(tenant.create_resource(provider, "key-1")) == first
    with pytest.raises(InvalidInput) as refused:
        await services.ask(tenant.create_resource(provider, "key-1", resource_name="other"))
    assert refused.value.code == "idempotency_key_reused"


async def test_the_fast_read_says_what_the_model_says(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    await services.publish(_health(tenant, resource, 3, "warning"))
    reply = await services.ask_raw(GetResource(**tenant.question(), resource=resource.id))
    page = await services.ask(ListResources(**tenant.question()))
    assert list(json.loads(reply.body)) == list(Resource.model_fields)
    assert json.loads(reply.body)["created_at"].endswith("Z")
    listed = page.items[0].model_copy(update={"health_status": "", "performance_metrics": {}})
    read = Resource.model_validate_json(reply.body).model_copy(update={"health_status": "", "performance_metrics": {}})
    assert read == listed
    assert reply.headers["Canopy-Version"] == str(resource.version)


async def test_another_organization_sees_nothing(services: Services, tenant: Tenant, stranger: Tenant) -> None:
    provider = await tenant.add_provider()
    accepted = await tenant.add_resource(provider)
    with pytest.raises(NotFound):
        await stranger.get(accepted.resource.id)
    with pytest.raises(NotFound):
        await services.ask(DeleteResource(**stranger.envelope(), resource=accepted.resource.id))
    with pytest.raises(InvalidInput):
        await stranger.add_resource(provider)
    assert (await services.ask(ListResources(**stranger.question()))).items == []


async def test_lists_filter_sort_and_page(services: Services, tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    names = [f"{letter}-{number}" for letter in "ab" for number in range(3)]
    for name in names:
        team = "photos" if name.startswith("a") else "music"
        await tenant.add_resource(provider, resource_name=name, tags={"team": team}, project=f"p{name[-1]}")

    async def listed(**query: object) -> list[str]:
        found, cursor = [], None
        while True:
            page = await services.ask(ListResources(**tenant.question(), limit=2, cursor=cursor, **query))
            found += [item.resource_name for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert await listed(sort="resource_name") == names
    assert await listed(sort="-resource_name") == names[::-1]
    assert await listed(sort="created_at") == names
    assert await listed() == names[::-1]
    assert await listed(sort="resource_name", q="b-") == names[3:]
    assert await listed(sort="resource_name", tag="team=photos") == names[:3]
    assert await listed(sort="resource_name", tag="team") == names
    assert await listed(tag="team=photos") == names[2::-1]
    assert await listed(sort="created_at", tag="team=photos") == names[:3]
    assert await listed(sort="created_at", tag="team") == names
    assert await listed(tag="team=music", project="p1") == ["b-1"]
    assert await listed(sort="resource_name", project="p1") == ["a-1", "b-1"]
    assert await listed(provider_id=new_id()) == []
    assert await listed(provider="all", resource_type="compute", region="us-east-1") == names[::-1]


@pytest.mark.parametrize("query", [{"sort": "secret"}, {"cursor": "nonsense"}, {"cursor": "WyJ4Il0"}])
async def test_a_forged_cursor_or_sort_is_bad_input(services: Services, tenant: Tenant, query: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        await services.ask(ListResources(**tenant.question(), **query))


async def test_a_critical_resource_is_stopped_by_force_of_a_manager_only(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider(), is_wedding_critical=True)
    with pytest.raises(Conflict) as refused:
        await services.ask(StopResource(**tenant.envelope(), resource=resource.id))
    assert refused.value.code == "critical_resource"
    with pytest.raises(PermissionDenied):
        await services.ask(StopResource(**tenant.envelope(role="engineer"), resource=resource.id, force=True))
    accepted = await services.ask(StopResource(**tenant.envelope(role="manager"), resource=resource.id, force=True))
    assert accepted.resource.resource_status == "stopping"


async def test_an_update_reaches_the_machines_tags(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    with pytest.raises(Stale):
        await services.ask(UpdateResource(**tenant.envelope(expected_version=1), resource=resource.id, project="x"))
    changed = await services.ask(
        UpdateResource(
            **tenant.envelope(expected_version=resource.version), resource=resource.id, project="party",
            tags={"team": "music"},
        )
    )  # fmt: skip
    assert (changed.version, changed.project, changed.tags) == (resource.version + 1, "party", {"team": "music"})

    async def tagged() -> bool:
        tags = next(each["tags"] for each in tenant.aws.machines() if each["id"] == resource.resource_id)
        return bool(tags.items() >= {"team": "music", "Project": "party"}.items())

    await eventually(tagged)


async def test_health_and_cost_of_other_services_do_not_move_the_version(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    await services.publish(_health(tenant, resource, 2, "critical"), _health(tenant, resource, 1, "healthy"))
    cost = ResourceCostChanged(
        **tenant.context.about(resource.id, 1, now()), resource_id=resource.id, cost_tracking={"hourly": 0.0104}
    )
    await services.publish(cost)

    async def seen() -> bool:
        found = await tenant.get(resource.id)
        return found.health_status == "critical" and found.cost_tracking == {"hourly": 0.0104}

    await eventually(seen)
    assert (await tenant.get(resource.id)).version == resource.version


async def test_a_machine_that_vanished_is_terminated_in_the_list(services: Services, tenant: Tenant) -> None:
    resource = await tenant.running(await tenant.add_provider())
    cloud = open_cloud("aws", tenant.credentials(), tenant.aws.settings())
    await machines_of(cloud).terminate("us-east-1", str(resource.resource_id))
    await cloud.close()
    tenant.aws.advance()
    accepted = await services.ask(StopResource(**tenant.envelope(), resource=resource.id))
    operation = await tenant.done(accepted)
    assert operation.error is not None
    assert operation.error["code"] == "vanished"
    found = await tenant.get(resource.id)
    assert found.resource_status == "terminated"
    assert found.status_reason == "it does not exist at the provider any more"


async def test_the_inventory_holds_all_organizations(services: Services, tenant: Tenant, stranger: Tenant) -> None:
    mine = await tenant.add_resource(await tenant.add_provider())
    theirs = await stranger.add_resource(await stranger.add_provider())
    page = await services.ask(ListInventory(**Context.background().envelope(now()), limit=200))
    assert {mine.resource.id, theirs.resource.id} <= {item.id for item in page.items}


def _health(tenant: Tenant, resource: Resource, version: int, status: str) -> ResourceHealthChanged:
    return ResourceHealthChanged(
        **tenant.context.about(resource.id, version, now()), resource_id=resource.id, old_health_status="unknown",
        health_status=status, health_score=50, performance_metrics={"cpu_utilization": 81.5},
    )  # fmt: skip

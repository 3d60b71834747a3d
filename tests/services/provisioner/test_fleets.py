"""Many resources by one request: all accepted or none, and after a failure exactly what the policy says, kills included."""

import asyncio
from typing import Any

import pytest

from shared.kit.errors import Conflict, InvalidInput
from shared.kit.ids import new_id
from shared.messages.base import Page
from shared.messages.fleets import AcceptedFleet, ProvisionFleet
from shared.messages.operations import Operation, OperationFailed, OperationProgressed
from shared.messages.providers import Provider, UpdateProvider
from shared.messages.resources import ListResources, Resource
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import StartReplica, Tenant
from tests.services.provisioner.traps import Traps, set_journal_traps

pytestmark = pytest.mark.anyio

REFUSED = {"configuration": {"instance_type": "z99.mega"}}
"""A type that the schema allows and the cloud does not know: it cannot be had, whenever and by whomever it is tried."""


def item(provider: Provider, **fields: Any) -> dict[str, Any]:
    values = {
        "provider_id": provider.id, "region": "us-east-1", "resource_name": f"fleet-{new_id()}",
        "resource_type": "compute", "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"},
        "project": "wedding",
    }  # fmt: skip
    return {**values, **fields}


def order(tenant: Tenant, items: list[dict[str, Any]], policy: str, key: str | None = None) -> ProvisionFleet:
    return ProvisionFleet(**tenant.envelope(key), items=items, policy=policy)


async def begin(tenant: Tenant, items: list[dict[str, Any]], policy: str) -> AcceptedFleet:
    accepted: AcceptedFleet = await tenant.services.ask(order(tenant, items, policy))
    return accepted


async def rows(tenant: Tenant, accepted: AcceptedFleet) -> list[Resource]:
    return [await tenant.get(each.resource) for each in accepted.items]


def states(tenant: Tenant, accepted: AcceptedFleet) -> list[list[str]]:
    """The states of all machines that the cloud ever made for each item."""
    machines = tenant.aws.machines()
    return [
        [str(one["state"]) for one in machines if one["tags"].get("Name") == each.resource_name]
        for each in accepted.items
    ]


async def listed(tenant: Tenant) -> list[Resource]:
    found: Page[Resource] = await tenant.services.ask(ListResources(**tenant.question(), limit=200))
    return found.items


@pytest.mark.usefixtures("provisioner")
async def test_a_fleet_is_placed_and_counted_and_one_that_cannot_be_had_says_why(tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    items = [item(provider), item(provider, region="us-west-2"), item(provider, **REFUSED), item(provider)]
    asked = order(tenant, items, "best_effort")
    accepted: AcceptedFleet = await tenant.services.ask(asked)
    again: AcceptedFleet = await tenant.services.ask(asked)
    assert again == accepted
    assert [each.index for each in accepted.items] == [0, 1, 2, 3]
    assert (accepted.operation.progress.completed, accepted.operation.progress.total) == (0, 4)

    operation = await tenant.done(accepted)
    assert operation.status == "succeeded", operation.error
    assert operation.result is not None
    assert [operation.result[status] for status in ("placed", "failed", "removed", "not_removed")] == [3, 1, 0, 0]
    kept = await rows(tenant, accepted)
    assert [each.resource_status for each in kept] == ["running", "running", "error", "running"]
    assert [each["resource_id"] for each in operation.result["items"]] == [each.resource_id for each in kept]
    assert [each["status"] for each in operation.result["items"]] == ["placed", "placed", "failed", "placed"]
    assert operation.result["items"][2]["error"]["code"] in str(kept[2].status_reason)
    assert states(tenant, accepted) == [["running"], ["running"], [], ["running"]]
    counted = [
        (event.operation.progress.completed, event.operation.progress.total)
        for event in tenant.services.events
        if isinstance(event, OperationProgressed) and event.operation.id == operation.id
    ]
    assert counted == sorted(counted)
    assert counted[-1] == (operation.progress.completed, operation.progress.total) == (4, 4)


async def test_several_clouds_are_one_fleet(
    tenant: Tenant,
    start_replica: StartReplica,
    simulated_world: dict[str, SimulatedCloud],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = simulated_world["vultr"]
    cloud.clear_faults()
    monkeypatch.setenv("CANOPY_VULTR_ENDPOINT_URL", cloud.endpoint_url)
    await start_replica()
    elsewhere = await tenant.add_provider(
        provider_name="vultr", regions=["ewr"], credentials_config=dict(cloud.credentials())
    )
    plan = {"configuration": {}, "region": "ewr", "resource_subtype": "vultr_instance"}
    accepted = await begin(tenant, [item(await tenant.add_provider()), item(elsewhere, **plan)], "all_or_nothing")
    passing = asyncio.create_task(_move(cloud))
    operation = await tenant.done(accepted)
    passing.cancel()
    assert operation.status == "succeeded", operation.error
    assert [each.resource_status for each in await rows(tenant, accepted)] == ["running", "running"]


async def _move(cloud: SimulatedCloud) -> None:
    while True:
        await asyncio.to_thread(cloud.advance)
        await asyncio.sleep(0.1)


async def test_one_that_cannot_be_had_takes_all_with_it_also_what_is_being_made(
    tenant: Tenant, start_replica: StartReplica
) -> None:
    """No time passes for the cloud until then: the other machines have been made and do not run yet."""
    await start_replica(lease_s=1)
    provider = await tenant.add_provider()
    accepted = await begin(tenant, [item(provider), item(provider), item(provider, **REFUSED)], "all_or_nothing")
    parts = {each.operation for each in accepted.items}
    ends = await tenant.services.events_of(OperationFailed, 3, lambda event: event.operation.id in parts)
    codes = {event.operation.id: (event.operation.error or {})["code"] for event in ends}
    assert [codes[each.operation] for each in accepted.items[:2]] == ["cancelled", "cancelled"]

    operation = await tenant.done(accepted)
    check_taken_back(tenant, accepted, operation)
    assert operation.result is not None
    assert [each["status"] for each in operation.result["items"]] == ["removed", "removed", "failed"]
    assert [each.resource_status for each in await rows(tenant, accepted)] == ["terminated"] * 3


def check_taken_back(tenant: Tenant, accepted: AcceptedFleet, operation: Operation) -> None:
    """Failed and told so, and the cloud's own list has nothing that lives, and nothing that was made twice."""
    assert operation.error is not None
    assert (operation.status, operation.error["code"]) == ("failed", "rolled_back")
    tenant.aws.advance()
    for made in states(tenant, accepted):
        assert made in ([], ["terminated"])


@pytest.mark.usefixtures("provisioner")
async def test_nothing_to_be_had_at_all_is_a_failure(tenant: Tenant) -> None:
    provider = await tenant.add_provider()
    operation = await tenant.done(await begin(tenant, [item(provider, **REFUSED)] * 2, "best_effort"))
    assert operation.error is not None
    assert (operation.status, operation.error["code"]) == ("failed", "nothing_placed")
    assert operation.error["detail"].startswith("none of 2 could be had: item 0: ")


@pytest.mark.usefixtures("provisioner")
@pytest.mark.parametrize("policy", ["best_effort", "all_or_nothing"])
async def test_what_is_wrong_is_named_for_every_item_and_nothing_is_stored(tenant: Tenant, policy: str) -> None:
    provider = await tenant.add_provider()
    items = [
        item(provider),
        item(provider, region="mars-1"),
        item(provider, provider_id=new_id()),
        item(provider, resource_type="analytics"),
        item(provider, resource_subtype="droplet"),
        item(provider, configuration={"instance_type": 3, "volume_size_gib": 0}),
        item(provider, tags={"aws:x": "y"}),
        item(provider, resource_name="bad*name"),
        item(provider, configuration={"availability_zone": "us-east-1z"}),
    ]
    with pytest.raises(InvalidInput) as refused:
        await tenant.services.ask(order(tenant, items, policy))
    assert [each.pointer for each in refused.value.errors] == [
        "/items/1/region", "/items/2/provider_id", "/items/3/resource_type", "/items/4/resource_subtype",
        "/items/5/configuration/instance_type", "/items/5/configuration/volume_size_gib", "/items/6/tags/aws:x",
        "/items/7/resource_name", "/items/8/configuration/availability_zone",
    ]  # fmt: skip
    assert await listed(tenant) == []


@pytest.mark.usefixtures("provisioner")
async def test_an_account_that_is_not_active_or_not_ones_own_takes_no_fleet(tenant: Tenant, stranger: Tenant) -> None:
    provider = await tenant.add_provider()
    with pytest.raises(InvalidInput, match="not valid"):
        await begin(stranger, [item(provider)], "best_effort")
    await tenant.services.ask(UpdateProvider(**tenant.envelope(), provider_id=provider.id, is_active=False))
    with pytest.raises(Conflict, match="item 0") as refused:
        await begin(tenant, [item(provider)], "best_effort")
    assert refused.value.code == "provider_inactive"


BOUNDARIES = [
    "store wait for items", "begin wait for cancelled items", "store remove items", "store record result",
    "begin undo create machine",
]  # fmt: skip
"""Of the fleet's own saga and of its parts': none at which a held transaction keeps another of them waiting."""


async def test_a_kill_at_any_boundary_takes_back_exactly_what_was_made(
    services: Services, tenant: Tenant, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.ack_wait_s = 3
    first = await start_replica(lease_s=2, replica="first", machine_poll_s=0.3, database_pool_size=40)
    provider = await tenant.add_provider()
    traps = Traps(BOUNDARIES)
    set_journal_traps(monkeypatch, traps)
    accepted = [await begin(tenant, [item(provider), item(provider, **REFUSED)], "all_or_nothing") for _ in BOUNDARIES]
    moving = asyncio.create_task(tenant.move_time())
    async with asyncio.timeout(60):
        caught = {await traps.caught.get() for _ in BOUNDARIES}
    moving.cancel()
    assert caught == set(BOUNDARIES)
    killing = asyncio.create_task(first.kill())
    traps.spring()
    await killing

    await start_replica(lease_s=2, replica="second", machine_poll_s=0.3)
    operations = await tenant.all_done(accepted, timeout_s=120)
    for each, operation in zip(accepted, operations, strict=True):
        check_taken_back(tenant, each, operation)
        assert [row.resource_status for row in await rows(tenant, each)] == ["terminated"] * 2

"""What the overview and a resource say, after events that came in any order, on one replica or two."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from services.costs.jobs.costs import BATCH
from services.costs.storage.tables import cloud_costs, daily_cost
from shared.db.inventory import apply_resource
from shared.kit.errors import InvalidInput
from shared.messages.context import Context
from shared.messages.costs import CostBreakdown, CostOverview, GetCostBreakdown, GetCostOverview
from shared.messages.resources import ResourceCostChanged, ResourceDiscovered
from tests.fixtures.services import Services, context, now
from tests.services.costs.inventory import Machine

pytestmark = pytest.mark.anyio

MICRO_USD_PER_HOUR = Decimal("0.0104")  # t3.micro, us-east-1, list of 2026-07-20
SMALL_USD_PER_HOUR = Decimal("0.0208")  # t3.small, the same


def hours_ago(hours: float) -> datetime:
    return now() - timedelta(hours=hours)


async def start(services: Services, **settings: Any) -> None:
    await services.start("costs", metering_interval_s=0.1, metering_lease_s=2, **settings)


async def overview(services: Services, caller: Context) -> CostOverview:
    found: CostOverview = await services.ask(GetCostOverview(**caller.envelope(now())))
    return found


async def tracking_of(services: Services, machine: Machine, **expected: Any) -> dict[str, Any]:
    def fits(event: ResourceCostChanged) -> bool:
        return event.resource_id == machine.id and expected.items() <= event.cost_tracking.items()

    return (await services.event(ResourceCostChanged, fits)).cost_tracking


async def stored(services: Services, machine: Machine) -> dict[str, Decimal]:
    """Amounts of the rows by category."""
    async with services.database("costs").work(Context.background()) as work:
        statement = select(cloud_costs.c.category, func.sum(cloud_costs.c.amount))
        found = await work.execute(statement.where(cloud_costs.c.resource_id == machine.id).group_by("category"))
        return {row[0]: row[1] for row in found}


async def test_a_machine_of_a_known_life_costs_hours_times_price(services: Services) -> None:
    await start(services)
    machine = Machine(context(), hours_ago(30), {"instance_type": "t3.micro", "volume_size_gib": 10})
    await services.publish(*machine.lives((1, "running"), (11, "stopped"), (21, "terminated")))
    await tracking_of(services, machine, hourly=0.0, total=float(MICRO_USD_PER_HOUR * 10))
    assert await stored(services, machine) == {"compute": MICRO_USD_PER_HOUR * 10}


@pytest.mark.parametrize(
    ("subtype", "configuration", "usd_per_gib_month"),
    [
        ("volume", {"size_gib": 10, "kind": "gp3"}, Decimal("0.08")),
        ("snapshot", {"size_gib": 10}, Decimal("0.05")),
    ],
)
async def test_a_volume_and_a_snapshot_that_were_found_cost_their_size_until_they_are_gone(
    services: Services, subtype: str, configuration: dict[str, Any], usd_per_gib_month: Decimal
) -> None:
    await start(services)
    thing = Machine(context(), hours_ago(30), configuration, subtype=subtype)
    found = thing.says(1, 0, "available")
    discovered = ResourceDiscovered(**thing.context.about(thing.id, 1, found.time), resource=found.resource)
    await services.publish(discovered)
    hourly = Decimal(10) * usd_per_gib_month / 720
    tracking = await tracking_of(services, thing, hourly=float(round(hourly, 9)))
    assert tracking["not_included"] == []
    await services.publish(thing.says(2, 20, "terminated"))
    await tracking_of(services, thing, hourly=0.0)
    assert abs((await stored(services, thing))["storage"] - hourly * 20) < Decimal("0.000000001")


def configuration_of(item: str) -> dict[str, Any]:
    """Of a machine that is paid for by this item of a price list."""
    *spot, instance_type = item.split(":")
    return {"instance_type": instance_type, "capacity_type": spot[0] if spot else "on_demand"}


async def test_each_cloud_is_metered_by_its_own_list_and_a_spot_machine_by_its_spot_price(services: Services) -> None:
    await start(services)
    caller = context()
    placed = [
        ("azure", "eastus", "virtual_machine", "Standard_B1s", 0.0104),
        ("azure", "eastus", "virtual_machine", "spot:Standard_D2s_v5", 0.01056),
        ("gcp", "us-central1", "gce_instance", "e2-micro", 0.008376),
        ("digitalocean", "nyc3", "droplet", "s-1vcpu-1gb", 0.00893),
        ("linode", "us-east", "linode", "g6-standard-1", 0.018),
        ("vultr", "ewr", "vultr_instance", "vc2-1c-1gb", 0.00685),
    ]
    machines = [
        Machine(caller, now(), configuration_of(item), provider_name=name, region=region, subtype=subtype)
        for name, region, subtype, item, _ in placed
    ]
    elsewhere = Machine(
        caller, now(), {"instance_type": "g6-nanode-1"}, provider_name="linode", region="id-cgk", subtype="linode"
    )
    unsold = Machine(
        caller, now(), configuration_of("spot:Standard_B1s"), provider_name="azure", region="eastus",
        subtype="virtual_machine",
    )  # fmt: skip
    for machine in (*machines, elsewhere, unsold):
        await services.publish(*machine.lives((0, "running")))
    for machine, (*_, hourly) in zip(machines, placed, strict=True):
        await tracking_of(services, machine, hourly=hourly)
    unknown = await tracking_of(services, elsewhere, hourly=None)
    assert unknown["not_included"] == ["no price for g6-nanode-1 in id-cgk"]
    unpriced = await tracking_of(services, unsold, hourly=None)
    assert unpriced["not_included"] == ["no price for spot:Standard_B1s in eastus"]
    found = await overview(services, caller)
    assert {share.name for share in found.by_provider} == {name for name, *_ in placed}
    assert "vultr-cli plans list" in found.basis.price_sources


@pytest.mark.parametrize("seed", [None, 1, 2])
async def test_a_scaled_machine_costs_the_old_rate_before_and_the_new_rate_after(
    services: Services, seed: int | None
) -> None:
    """Seven hours as t3.micro, one stopped, eleven as t3.small; also when the events come in another order."""
    await start(services)
    machine = Machine(context(), hours_ago(30))
    life = [machine.says(1, 0, "running"), machine.says(2, 7, "stopped"), machine.is_scaled(3, 8, "t3.small")]
    if seed is not None:
        random.Random(seed).shuffle(life)
    await services.publish(*life)
    running = await tracking_of(services, machine, hourly=float(SMALL_USD_PER_HOUR))
    assert running["included"] == ["t3.small"]
    await services.publish(machine.says(4, 19, "terminated"))
    expected = MICRO_USD_PER_HOUR * 7 + SMALL_USD_PER_HOUR * 11
    await tracking_of(services, machine, hourly=0.0, total=float(expected))
    assert (await stored(services, machine))["compute"] == expected


async def test_a_type_that_changed_without_a_stop_is_metered_from_the_moment_it_is_said(services: Services) -> None:
    await start(services)
    machine = Machine(context(), hours_ago(30))
    await services.publish(
        machine.says(1, 0, "running"), machine.is_scaled(2, 5, "t3.small"), machine.says(3, 9, "terminated")
    )
    expected = MICRO_USD_PER_HOUR * 5 + SMALL_USD_PER_HOUR * 4
    await tracking_of(services, machine, hourly=0.0, total=float(expected))
    assert (await stored(services, machine))["compute"] == expected


async def test_any_order_and_repeats_give_the_same_rows(services: Services) -> None:
    await start(services)
    machine = Machine(context(), hours_ago(30))
    life = machine.lives(
        (0, "provisioning"), (1, "running"), (3, "stopped"), (5, "running"), (10, "stopped"), (11, "terminated")
    )
    shuffled = [*life, *life]
    random.Random(7).shuffle(shuffled)
    for event in shuffled:
        await services.publish(event)
    await tracking_of(services, machine, hourly=0.0, total=float(MICRO_USD_PER_HOUR * 7))
    assert (await stored(services, machine))["compute"] == MICRO_USD_PER_HOUR * 7


async def test_a_late_start_does_not_revive_a_terminated_machine(services: Services) -> None:
    await start(services)
    caller = context()
    machine = Machine(caller, hours_ago(20))
    first, late, last = machine.lives((0, "running"), (4, "stopped"), (6, "terminated"))
    revival = machine.says(4, 8, "running")
    await services.publish(first, last)
    await tracking_of(services, machine, total=float(MICRO_USD_PER_HOUR * 6))
    await services.publish(revival, late)
    await tracking_of(services, machine, hourly=0.0)
    witness = Machine(caller, hours_ago(1))
    await services.publish(*witness.lives((0, "running")))
    await tracking_of(services, witness, hourly=0.0104)
    assert (await stored(services, machine))["compute"] == MICRO_USD_PER_HOUR * 4


async def test_a_running_machine_is_counted_by_the_second_between_roll_ups(services: Services) -> None:
    await start(services)
    caller = context()
    machine = Machine(caller, now() - timedelta(seconds=1), {"instance_type": "u7in-32tb.224xlarge"})
    price = 360.98695
    await services.publish(*machine.lives((0, "running")))
    await tracking_of(services, machine, hourly=price)
    first = (await overview(services, caller)).by_category[0].cost_usd
    second = (await overview(services, caller)).by_category[0].cost_usd
    assert 0 < first < second


async def test_the_overview_says_what_is_known_and_what_is_not(services: Services) -> None:
    await start(services)
    caller = context()
    known = Machine(caller, now(), {"instance_type": "m5.large"}, environment="staging")
    unknown = Machine(caller, now(), {"instance_type": "x99.none"})
    placed = {"engine": "postgres", "instance_type": "db.m7g.large", "storage_gib": 100, "multi_az": True}
    database = Machine(caller, now(), placed, environment="staging", subtype="rds_instance")
    network = Machine(caller, now(), {}, environment="staging", subtype="vpc")
    for thing in (known, unknown, database, network):
        await services.publish(*thing.lives((0, "running")))
    await tracking_of(services, known, hourly=0.096, monthly=69.12, monthly_730=70.08)
    tracking = await tracking_of(services, unknown, hourly=None, monthly=None, total=None)
    assert "no price for x99.none in us-east-1" in tracking["not_included"]
    await tracking_of(services, database, monthly=265.64)  # 720 h x $0.337 + 100 GiB x $0.23
    await tracking_of(services, network, hourly=0.0, included=["vpc"], not_included=[])
    found = await overview(services, caller)
    assert (found.currency, found.cost_per_hour.amount, found.monthly_cost) == ("USD", "0.46", 334.76)
    assert [share.name for share in found.by_provider] == ["aws"]
    assert {share.name for share in found.by_category} == {"compute", "database", "storage", "network"}
    assert [share.name for share in found.by_environment] == ["staging"]
    counts = (found.basis.metered_resources, found.basis.unpriced_resources, found.basis.partly_priced_resources)
    assert counts == (4, 1, 1)
    assert sorted(found.basis.unpriced) == [
        "no price for the use of database:postgres:db.m7g.large:multi_az: backups beyond the size of its storage",
        "no price for x99.none in us-east-1",
    ]
    assert {"resources without a known price (1)", "what is paid beside a known price (1)"} <= {
        *found.basis.not_included
    }
    assert found.basis.hours_basis == 720
    assert (str(found.basis.prices_from), str(found.basis.prices_to)) == ("2023-06-01", "2026-09-01")


async def test_another_organization_sees_nothing_of_it(services: Services) -> None:
    await start(services)
    machine = Machine(context(), hours_ago(30))
    await services.publish(*machine.lives((0, "running")))
    await tracking_of(services, machine, hourly=0.0104)
    found = await overview(services, context())
    assert (found.month_to_date.amount, found.by_provider, found.basis.metered_resources) == ("0.00", [], 0)


async def test_the_projection_is_spending_plus_what_runs_until_the_month_ends(services: Services) -> None:
    await start(services)
    caller = context()
    machine = Machine(caller, now(), {"instance_type": "m5.24xlarge"})
    await services.publish(*machine.lives((0, "running")))
    await tracking_of(services, machine, hourly=4.608)
    found = await overview(services, caller)
    month_end = (found.as_of.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0)
    rest_h = (month_end.replace(microsecond=0) - found.as_of) / timedelta(hours=1)
    spent = float(found.month_to_date.amount)
    assert float(found.projected_month.amount) == pytest.approx(spent + 4.608 * rest_h, abs=0.02)


async def test_two_replicas_and_a_kill_lose_nothing_and_count_nothing_twice(services: Services) -> None:
    services.ack_wait_s = 2
    victim = await services.start("costs", metering_interval_s=0.1, metering_lease_s=2)
    await start(services)
    caller = context()
    machines = [Machine(caller, hours_ago(40)) for _ in range(30)]
    for index, machine in enumerate(machines):
        await services.publish(*machine.lives((0, "running"), (10, "terminated")))
        if index == 10:
            await victim.kill()
            await start(services)
    async with asyncio.timeout(300):  # so that it fails and does not hang
        while await _sum_of_days(services) != MICRO_USD_PER_HOUR * 10 * 30:
            await asyncio.sleep(0.1)
    rows = [(await stored(services, machine))["compute"] for machine in machines]
    assert rows == [MICRO_USD_PER_HOUR * 10] * 30


async def test_what_came_with_a_snapshot_and_not_as_an_event_is_metered_too(services: Services) -> None:
    caller, count = context(), BATCH + 1
    machines = [Machine(caller, hours_ago(2)) for _ in range(count)]
    async with services.database("costs").work(caller) as work:
        for machine in machines:
            assert await apply_resource(work, machine.resource(7, hours_ago(1), "running"))
    await services.start("costs", metering_interval_s=0.1)  # a whole batch within its usual lease
    said = await services.events_of(ResourceCostChanged, count)
    assert {event.resource_id for event in said} == {machine.id for machine in machines}
    assert {event.cost_tracking["hourly"] for event in said} == {float(MICRO_USD_PER_HOUR)}
    assert all(event.cost_tracking["total"] >= float(MICRO_USD_PER_HOUR) for event in said)


async def test_a_roll_up_moves_running_costs_into_rows_and_says_the_new_total(services: Services) -> None:
    await start(services, cost_roll_up_s=0.1)
    machine = Machine(context(), hours_ago(2))
    await services.publish(*machine.lives((0, "running")))
    said = await services.events_of(ResourceCostChanged, 3, lambda event: event.resource_id == machine.id)
    totals = [event.cost_tracking["total"] for event in said]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0] >= 0.0208
    assert [event.aggregate_version for event in said] == list(range(1, len(said) + 1))


async def test_a_breakdown_adds_up_and_refuses_a_time_that_ends_before_it_starts(services: Services) -> None:
    await start(services)
    caller = context()
    machine = Machine(caller, hours_ago(60), project="albums")
    await services.publish(*machine.lives((0, "running"), (50, "terminated")))
    await tracking_of(services, machine, hourly=0.0)
    start_day = hours_ago(60).astimezone(UTC).date()
    window = {"start": start_day, "end": now().date() + timedelta(days=1)}
    by_day: CostBreakdown = await services.ask(GetCostBreakdown(**caller.envelope(now()), group_by="day", **window))
    by_project: CostBreakdown = await services.ask(
        GetCostBreakdown(**caller.envelope(now()), group_by="project", **window)
    )
    assert sum(group.cost_usd for group in by_day.groups) == pytest.approx(0.52)
    assert [(group.name, group.cost_usd) for group in by_project.groups] == [("albums", 0.52)]
    with pytest.raises(InvalidInput) as caught:
        await services.ask(GetCostBreakdown(**caller.envelope(now()), start="2026-02-02", end="2026-02-02"))
    assert caught.value.errors[0].pointer == "/end"


async def _sum_of_days(services: Services) -> Decimal:
    async with services.database("costs").work(Context.background()) as work:
        found: Decimal | None = (await work.execute(select(func.sum(daily_cost.c.amount)))).scalar()
        return found or Decimal(0)


async def test_a_machine_that_was_found_is_metered_from_then_on(services: Services) -> None:
    await start(services)
    machine = Machine(context(), hours_ago(10), {"instance_type": "t3.micro", "volume_size_gib": 10})
    found = machine.says(1, 0, "running")
    discovered = ResourceDiscovered(
        **machine.context.about(machine.id, 1, found.time),
        resource=found.resource.model_copy(update={"origin": "discovered"}),
    )
    await services.publish(discovered, machine.says(2, 10, "terminated"))
    await tracking_of(services, machine, hourly=0.0)
    assert (await stored(services, machine))["compute"] == pytest.approx(10 * MICRO_USD_PER_HOUR)

"""A budget is crossed exactly once per threshold and period, whoever looks and however often."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from services.costs.storage import budgets
from services.costs.storage.tables import budget, budget_crossings
from shared.kit.errors import InvalidInput, NotFound, Stale
from shared.messages.audit import AuditRecorded
from shared.messages.base import Page
from shared.messages.budgets import (
    Budget,
    BudgetCreated,
    BudgetDeleted,
    BudgetEvent,
    BudgetExceeded,
    BudgetUpdated,
    CreateBudget,
    DeleteBudget,
    GetBudget,
    ListBudgets,
    UpdateBudget,
)
from shared.messages.context import Context
from shared.messages.resources import ResourceCostChanged
from tests.fixtures.services import Running, Services, context, mutation, now
from tests.services.costs.inventory import Machine

pytestmark = pytest.mark.anyio


async def start(services: Services) -> Running:
    return await services.start("costs", metering_interval_s=0.1, metering_lease_s=2)


async def make(services: Services, caller: Context, amount: str, key: str | None = None, **fields: Any) -> Budget:
    made: Budget = await services.ask(
        CreateBudget(**mutation(caller, key), budget_name="photos", budget_amount=Decimal(amount), **fields)
    )
    return made


async def spend(services: Services, caller: Context, hours: float = 10, **fields: Any) -> Machine:
    """0.0104 USD for each hour, all of it today or in the hours before; its end is known, too."""
    machine = Machine(caller, now() - timedelta(hours=hours), **fields)
    await services.publish(*machine.lives((0, "running"), (hours, "terminated")))
    await services.event(
        ResourceCostChanged,
        lambda event: event.resource_id == machine.id and event.cost_tracking["hourly"] == 0,
    )
    return machine


def of(budget: Budget, basis: str = "actual") -> Any:
    return lambda event: event.budget_id == budget.id and event.basis == basis


async def crossings_of(services: Services, budget: Budget) -> list[tuple[str, float, int]]:
    async with services.database("costs").work(Context.background()) as work:
        statement = select(budget_crossings).where(budget_crossings.c.budget_id == budget.id)
        found = await work.execute(statement)
        return sorted((row.basis, float(row.threshold_percent), row.revision) for row in found)


async def test_the_first_cents_cross_a_budget_of_a_cent(services: Services) -> None:
    await start(services)
    caller = context()
    budget = await make(services, caller, "0.01", budget_period="annually", notification_channels=["slack"])
    machine = Machine(caller, now() - timedelta(minutes=59))
    await services.publish(*machine.lives((0, "running")))
    found = await services.events_of(BudgetExceeded, 3, of(budget))
    assert [event.threshold_percent for event in found] == [50, 80, 100]
    assert found[0].notification_channels == ["slack"]
    assert (await services.event(BudgetExceeded, of(budget, "forecast"))).threshold_percent == 100
    shown: Budget = await services.ask(GetBudget(**caller.envelope(now()), budget=budget.id))
    assert (shown.status, shown.current_spend >= 0.01, shown.forecast_spend > shown.current_spend) == (
        "exceeded", True, True,
    )  # fmt: skip


async def test_a_crossing_is_said_once_by_two_replicas_that_look_again_and_again(services: Services) -> None:
    await start(services)
    await start(services)
    caller = context()
    budget = await make(services, caller, "0.05", budget_period="annually")
    machine = await spend(services, caller)
    await services.events_of(BudgetExceeded, 3, of(budget))
    for event in machine.lives((0, "running"), (10, "terminated")):
        await services.publish(event)
    witness = await make(services, caller, "0.05", budget_period="annually")
    await services.events_of(BudgetExceeded, 3, of(witness))
    said = [
        event.threshold_percent for event in services.events if isinstance(event, BudgetExceeded) and of(budget)(event)
    ]
    assert said == [50, 80, 100]
    assert await crossings_of(services, budget) == [
        ("actual", 50, 1), ("actual", 80, 1), ("actual", 100, 1), ("forecast", 100, 1),
    ]  # fmt: skip


async def test_a_budget_is_told_before_its_thresholds_are(services: Services) -> None:
    await start(services)
    caller = context()
    await spend(services, caller)
    made = await make(services, caller, "0.05", budget_period="annually", alert_thresholds=[100])
    await services.event(BudgetExceeded, of(made, "forecast"))
    told = [type(event) for event in services.events if getattr(event, "aggregate_id", None) == made.id]
    assert [each for each in told if each is not AuditRecorded] == [BudgetCreated, BudgetExceeded, BudgetExceeded]


async def test_another_amount_starts_anew_and_another_name_does_not(services: Services) -> None:
    await start(services)
    caller = context()
    await spend(services, caller)
    budget = await make(services, caller, "0.05", budget_period="annually", alert_thresholds=[50])
    await services.ask(UpdateBudget(**mutation(caller), budget=budget.id, budget_name="albums"))
    assert await crossings_of(services, budget) == [("actual", 50, 1), ("forecast", 100, 1)]
    raised: Budget = await services.ask(
        UpdateBudget(**mutation(caller), budget=budget.id, budget_amount=Decimal("0.2"))
    )
    assert (raised.version, raised.status) == (3, "within")
    assert await crossings_of(services, budget) == [("actual", 50, 1), ("actual", 50, 2), ("forecast", 100, 1)]
    assert [event.revision for event in await services.events_of(BudgetExceeded, 2, of(budget))] == [1, 2]


async def test_a_new_period_starts_anew(services: Services) -> None:
    running = await start(services)
    caller = context()
    await spend(services, caller)
    budget = await make(services, caller, "0.05", budget_period="annually", alert_thresholds=[100])
    await running.stop()
    database = services.database("costs")
    async with database.work(Context.background()) as work:
        last_year = budget_crossings.c.period_start - timedelta(days=365)
        await work.execute(update(budget_crossings).values(period_start=last_year))
    await start(services)
    found = await services.events_of(BudgetExceeded, 2, of(budget))
    assert [event.threshold_percent for event in found] == [100, 100]


async def test_a_budget_counts_only_what_its_scope_names(services: Services) -> None:
    await start(services)
    caller = context()
    machine = await spend(services, caller, environment="production", project="photos")
    fields = {"budget_period": "annually"}
    scopes = [
        ("organization", {}, True),
        ("provider", {"provider_name": "aws"}, True),
        ("provider", {"provider_id": str(machine.provider_id)}, True),
        ("environment", {"environment": "production"}, True),
        ("environment", {"environment": "staging"}, False),
        ("project", {"project": "albums"}, False),
        ("resource_type", {"resource_type": "compute"}, True),
        ("resource_type", {"resource_type": "database"}, False),
    ]
    for scope, filters, counted in scopes:
        found = await make(services, caller, "10", budget_scope=scope, scope_filters=filters, **fields)
        assert found.current_spend == pytest.approx(0.104 if counted else 0), (scope, filters)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"currency": "EUR"}, "/currency"),
        ({"alert_thresholds": [80, 50]}, "/alert_thresholds"),
        ({"scope_filters": {"colour": "red"}}, "/scope_filters/colour"),
        ({"budget_scope": "project"}, "/scope_filters"),
    ],
)
async def test_a_budget_that_makes_no_sense_is_refused_and_not_stored(
    services: Services, fields: dict[str, Any], pointer: str
) -> None:
    await start(services)
    caller = context()
    with pytest.raises(InvalidInput) as caught:
        await make(services, caller, "10", **fields)
    assert [error.pointer for error in caught.value.errors] == [pointer]
    page: Page[Budget] = await services.ask(ListBudgets(**caller.envelope(now())))
    assert page.items == []


async def test_the_same_key_makes_one_budget_and_is_audited_once(services: Services) -> None:
    await start(services)
    caller = context()
    first = await make(services, caller, "10", key="once")
    second = await make(services, caller, "10", key="once")
    assert first == second
    page: Page[Budget] = await services.ask(ListBudgets(**caller.envelope(now())))
    assert [budget.id for budget in page.items] == [first.id]
    audited = await services.event(AuditRecorded, lambda event: event.aggregate_id == first.id)
    assert (audited.action, audited.target_name) == ("budget.create", "photos")


async def test_a_change_of_what_has_changed_is_stale_and_what_is_removed_is_gone(services: Services) -> None:
    await start(services)
    caller = context()
    budget = await make(services, caller, "10")
    with pytest.raises(Stale):
        await services.ask(UpdateBudget(**mutation(caller), expected_version=7, budget=budget.id, budget_name="x"))
    await services.ask(DeleteBudget(**mutation(caller), expected_version=1, budget=budget.id))
    with pytest.raises(NotFound):
        await services.ask(GetBudget(**caller.envelope(now()), budget=budget.id))


async def test_a_budget_is_told_when_it_is_made_changed_and_deleted(services: Services) -> None:
    await start(services)
    caller = context()
    made = await make(services, caller, "10")
    changed: Budget = await services.ask(UpdateBudget(**mutation(caller), budget=made.id, budget_name="albums"))
    gone: Budget = await services.ask(DeleteBudget(**mutation(caller), budget=made.id))
    told = await services.events_of(BudgetEvent, 3)
    assert [(type(event), event.aggregate_version, event.budget) for event in told] == [
        (BudgetCreated, 1, made), (BudgetUpdated, 2, changed), (BudgetDeleted, 3, gone),
    ]  # fmt: skip
    assert (changed.budget_name, gone.budget_name, gone.version) == ("albums", "albums", 3)


async def test_the_budget_that_waited_longest_is_evaluated_first_and_a_broken_one_holds_none_back(
    services: Services,
) -> None:
    running = await start(services)
    callers = [context() for _ in range(3)]
    made = [await make(services, caller, "10") for caller in callers]
    await running.stop()
    order = [made[2], made[0], made[1]]
    database = services.database("costs")
    async with database.work(Context.background()) as work:
        for days, each in zip((9, 8, 7), order, strict=True):
            values = {"evaluated_at": now() - timedelta(days=days)}
            await work.execute(update(budget).where(budget.c.id == each.id).values(**values))
        broken = update(budget).where(budget.c.id == order[0].id)
        await work.execute(broken.values(scope_filters={"provider_id": "no id"}))
        assert [found for _, found in await budgets.all_ids(work)] == [each.id for each in order]
    await start(services)
    for each in order[1:]:
        await evaluated_after(services, each, now() - timedelta(days=1))
    async with database.work(Context.background()) as work:
        assert (await budgets.all_ids(work))[0][1] == order[0].id


async def evaluated_after(services: Services, made: Budget, moment: datetime) -> None:
    async with asyncio.timeout(20):
        while True:
            async with services.database("costs").work(Context.background()) as work:
                statement = select(budget.c.evaluated_at).where(budget.c.id == made.id)
                if (await work.execute(statement)).scalar_one() > moment:
                    return
            await asyncio.sleep(0.05)


async def test_a_budget_of_another_organization_is_not_there(services: Services) -> None:
    await start(services)
    budget = await make(services, context(), "10")
    stranger = context()
    with pytest.raises(NotFound):
        await services.ask(GetBudget(**stranger.envelope(now()), budget=budget.id))
    with pytest.raises(NotFound):
        await services.ask(DeleteBudget(**mutation(stranger), budget=budget.id))

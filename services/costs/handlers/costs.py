"""What does an organization spend? The overview and the breakdown, read from sums and running meters."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from services.costs.deps import Deps
from services.costs.domain.budgets import months_later, period_of
from services.costs.domain.costs import CURRENCY, projection
from services.costs.domain.prices import AVERAGE_HOURS_PER_MONTH, HOURS_PER_MONTH
from services.costs.storage import budgets, costs, prices
from services.costs.storage.costs import Coverage, Spending
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import FieldError, InvalidInput
from shared.kit.money import Money
from shared.messages.context import Context
from shared.messages.costs import (
    CostBasis,
    CostBreakdown,
    CostGroup,
    CostOverview,
    CostShare,
    GetCostBreakdown,
    GetCostOverview,
    Total,
)

LONGEST = timedelta(days=400)
BUDGETS_SHOWN = 100
INCLUDED = [
    "compute: machine hours while running, by type",
    "storage: volumes by size and kind, from when the inventory found them until they are gone",
    "storage: snapshots by the size of their volume, which is the most that they cost",
    "database: managed databases by class or plan, and their storage by size",
    "network: load balancers, DNS zones and CDN by what they cost unused",
]
NOT_INCLUDED = [
    "volumes that the inventory does not hold", "data transfer", "requests", "what is stored in buckets",
    "detailed monitoring", "public IP addresses", "taxes, discounts, credits",
]  # fmt: skip

routes = Routes()


@routes.request(GetCostOverview)
async def get_cost_overview(request: GetCostOverview, deps: Deps) -> CostOverview:
    async with deps.database.work(Context.of(request)) as work:
        start, end = period_of("monthly", work.now)
        previous = months_later(start, -1)
        spent = await costs.spending(
            work, work.organization, start, end, by=("provider_name", "category", "environment")
        )
        before = costs.total_of(await costs.spending(work, work.organization, previous, start))
        month_to_date = costs.total_of(spent)
        hourly = sum((item.usd_per_hour for item in spent), Decimal(0))
        return CostOverview(
            currency=CURRENCY,
            month_to_date=total(month_to_date),
            projected_month=total(projection(month_to_date, hourly, work.now, end)),
            previous_month=total(before),
            cost_per_hour=total(hourly),
            monthly_cost=number(hourly * HOURS_PER_MONTH),
            monthly_cost_730=number(hourly * AVERAGE_HOURS_PER_MONTH),
            by_provider=_shares(spent, "provider_name"),
            by_category=_shares(spent, "category"),
            by_environment=_shares(spent, "environment"),
            budgets=[budgets.budget_of(row) for row in await budgets.newest(work, BUDGETS_SHOWN)],
            as_of=work.now,
            basis=await _basis(work, {item.names["provider_name"] for item in spent}),
        )


@routes.request(GetCostBreakdown)
async def get_cost_breakdown(request: GetCostBreakdown, deps: Deps) -> CostBreakdown:
    async with deps.database.work(Context.of(request)) as work:
        start, end = _window(request, work.now)
        filters = {
            name: value
            for name, value in (("provider_id", request.provider_id), ("project", request.project))
            if value is not None
        }
        groups = await _groups(work, request.group_by, start, end, filters)
        return CostBreakdown(
            group_by=request.group_by,
            start=start.date(),
            end=end.date(),
            total=total(sum(groups.values(), Decimal(0))),
            groups=[CostGroup(name=name, cost=total(cost), cost_usd=number(cost)) for name, cost in groups.items()],
            as_of=work.now,
        )


def total(amount: Decimal) -> Total:
    money = Money(amount, CURRENCY)
    return Total(amount=str(money.rounded()), currency=money.currency)


def number(amount: Decimal) -> float:
    """Nine fraction digits, as a JSON number."""
    return float(round(amount, 9))


def _shares(spent: Sequence[Spending], dimension: str) -> list[CostShare]:
    """The parts of the total, the largest first."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    rates: dict[str, Decimal] = defaultdict(Decimal)
    for item in spent:
        amounts[item.names[dimension]] += item.amount
        rates[item.names[dimension]] += item.usd_per_hour
    whole = sum(amounts.values(), Decimal(0))
    return [
        CostShare(
            name=name,
            cost=total(amount),
            cost_usd=number(amount),
            cost_per_hour_usd=number(rates[name]),
            percent=float(round(amount / whole * 100, 2)) if whole else 0.0,
        )
        for name, amount in _largest_first(amounts).items()
    ]


async def _groups(
    work: Work, group_by: str, start: datetime, end: datetime, filters: Mapping[str, Any]
) -> dict[str, Decimal]:
    if group_by == "day":
        days = await costs.spending_by_day(work, work.organization, start, end, filters)
        return {day.isoformat(): days[day] for day in sorted(days)}
    column = "provider_name" if group_by == "provider" else group_by
    found = await costs.spending(work, work.organization, start, end, by=(column,), filters=filters)
    return _largest_first({item.names[column]: item.amount for item in found})


def _largest_first(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return dict(sorted(amounts.items(), key=lambda item: (-item[1], item[0])))


def _window(request: GetCostBreakdown, now: datetime) -> tuple[datetime, datetime]:
    start = request.start or period_of("monthly", now)[0].date()
    end = request.end or max(now.date() + timedelta(days=1), start + timedelta(days=1))
    if not start < end:
        raise InvalidInput("the time is not valid", errors=[FieldError("/end", "is after start")])
    if end - start > LONGEST:
        raise InvalidInput("the time is not valid", errors=[FieldError("/start", f"at most {LONGEST.days} days")])
    return _midnight(start), _midnight(end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def _basis(work: Work, provider_names: set[str]) -> CostBasis:
    oldest, newest, sources = await prices.span(work, provider_names)
    covered = await costs.coverage(work, work.organization)
    return CostBasis(
        included=INCLUDED,
        not_included=_not_included(covered),
        method="hours from event times x list price on demand (Linux, shared tenancy), before tax",
        projection="month to date + what runs now x remaining hours of the month",
        hours_basis=int(HOURS_PER_MONTH),
        hours_basis_note="monthly figures are 720 h (30 days); *_730 beside them are an average month",
        prices_from=oldest,
        prices_to=newest,
        price_sources=sources,
        metered_resources=covered.metered,
        unpriced_resources=covered.unpriced,
        partly_priced_resources=covered.partly_priced,
        unpriced=covered.reasons,
    )


def _not_included(covered: Coverage) -> list[str]:
    counted = (
        (covered.unpriced, "resources without a known price"),
        (covered.partly_priced, "what is paid beside a known price"),
    )
    return [*(f"{what} ({count})" for count, what in counted if count), *NOT_INCLUDED]

"""What does a query to Cost Management ask for? Raises Refusal in Azure's words for what makes no sense."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from deploy.local.clouds.bills import DAY_S, month_at
from deploy.local.clouds.world.provider import Refusal

DIMENSIONS = (
    "ResourceGroup", "ResourceGroupName", "ResourceLocation", "ConsumedService", "ResourceType", "ResourceId",
    "MeterCategory", "MeterSubcategory", "Meter", "ServiceName", "ServiceFamily", "SubscriptionId", "SubscriptionName",
    "ChargeType", "PublisherType", "PricingModel",
)  # fmt: skip
COSTS = ("Cost", "PreTaxCost", "CostUSD", "PreTaxCostUSD")
QUANTITY = "UsageQuantity"
_TYPES = ("ActualCost", "AmortizedCost", "Usage")
_GROUPS_MAX = _AGGREGATIONS_MAX = 2  # the documentation of QueryDataset
_DAYS_MAX = 366
_YEARS = (2000, 3000)
"""The clock's last year, and one before any cloud."""


@dataclass(frozen=True)
class Period:
    """What one row of each group tells of, in seconds since 1970; `label` is its cell, None without granularity."""

    from_s: float
    until_s: float
    label: int | str | None


@dataclass(frozen=True)
class Definition:
    """A query in order. Days are those of UTC; `until_s` is the end of the last one."""

    from_s: float
    until_s: float
    granularity: str
    aggregations: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    """(type, name): `Dimension` or `TagKey`."""
    filter: Mapping[str, Any] | None

    def periods(self) -> list[Period]:
        found, from_s = [], self.from_s
        while from_s < self.until_s:
            month = month_at(from_s)
            if self.granularity == "Daily":
                until_s, label = from_s + DAY_S, int(_day(from_s).strftime("%Y%m%d"))
                found.append(Period(from_s, until_s, label))
            elif self.granularity == "Monthly":
                until_s = min(month.until_s, self.until_s)
                found.append(Period(from_s, until_s, f"{month}-01T00:00:00"))
            else:
                until_s = self.until_s
                found.append(Period(from_s, until_s, None))
            from_s = until_s
        return found

    def columns(self) -> list[dict[str, str]]:
        named = {"Daily": ("UsageDate", "Number"), "Monthly": ("BillingMonth", "Datetime")}
        found = [(name, "Number") for name in self.aggregations]
        found += [named[self.granularity]] if self.granularity in named else []
        for kind, name in self.groups:
            found += [(name, "String")] if kind == "Dimension" else [("TagKey", "String"), ("TagValue", "String")]
        return [{"name": name, "type": kind} for name, kind in [*found, ("Currency", "String")]]

    def row(self, period: Period, group: tuple[str, ...], usd: Decimal, quantity: Decimal) -> list[Any]:
        amounts = [float(quantity if name == QUANTITY else usd) for name in self.aggregations]
        return [*amounts, *([] if period.label is None else [period.label]), *group, "USD"]

    def group_of(self, names: Mapping[str, str], tags: Mapping[str, str]) -> tuple[str, ...]:
        """The cells of a charge's group; of a tag its key and its value, which is empty for what has none."""
        cells: list[str] = []
        for kind, name in self.groups:
            cells += [names[name]] if kind == "Dimension" else [name.lower(), tags.get(name.lower(), "")]
        return tuple(cells)

    def fits(self, names: Mapping[str, str], tags: Mapping[str, str]) -> bool:
        return self.filter is None or _fits(self.filter, names, tags)


def read_definition(document: Mapping[str, Any], now_s: float) -> Definition:
    """Raises Refusal."""
    try:
        return _read(document, now_s)
    except (AttributeError, TypeError):  # a part of it is of another kind: text where an object belongs
        _refuse("The request body is malformed")


def _read(document: Mapping[str, Any], now_s: float) -> Definition:
    if document.get("type") not in _TYPES:
        _refuse(f"Invalid definition type '{document.get('type')}'; valid values: {_quoted(_TYPES)}")
    dataset = document.get("dataset")
    if not isinstance(dataset, dict):
        _refuse("Missing dataset")
    if dataset.get("configuration"):
        _refuse("Invalid dataset configuration; only aggregated data is known here")
    granularity = str(dataset.get("granularity") or "None")
    if granularity not in {"None", "Daily", "Monthly"}:
        _refuse(f"Invalid dataset granularity '{granularity}'; valid values: 'Daily','Monthly','None'")
    from_s, until_s = _span(document, now_s)
    if dataset.get("filter") is not None:
        _check_filter(dataset["filter"])
    return Definition(
        from_s, until_s, granularity, _aggregations(dataset), _groups(dataset), dataset.get("filter")
    )  # fmt: skip


def _span(document: Mapping[str, Any], now_s: float) -> tuple[float, float]:
    """The seconds at which the first day begins and the last one ends."""
    frame = document.get("timeframe")
    tomorrow_s, month = (now_s // DAY_S + 1) * DAY_S, month_at(now_s)
    if frame in {"MonthToDate", "BillingMonthToDate"}:
        return month.from_s, tomorrow_s
    if frame in {"TheLastMonth", "TheLastBillingMonth"}:
        return month_at(month.from_s - DAY_S).from_s, month.from_s
    if frame == "WeekToDate":  # from Sunday on
        return tomorrow_s - DAY_S * (1 + (_day(now_s).weekday() + 1) % 7), tomorrow_s
    if frame != "Custom":
        _refuse(f"Invalid timeframe '{frame}'")
    asked = document.get("timePeriod") or {}
    try:
        first, last = (dt.datetime.fromisoformat(str(asked[name])).date() for name in ("from", "to"))
    except (KeyError, ValueError):
        _refuse("Invalid time period; from and to are required for a custom timeframe")
    if first.year < _YEARS[0] or last.year > _YEARS[1]:
        _refuse(f"Invalid time period; years are {_YEARS[0]} to {_YEARS[1]}")
    if first > last:
        _refuse("Invalid time period; start time must be less than or equal to end time")
    if (last - first).days >= _DAYS_MAX:
        _refuse("The time period for pulling the data cannot exceed 1 year(s)")
    return _seconds(first), _seconds(last) + DAY_S


def _aggregations(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    asked = dataset.get("aggregation") or {}
    if len(asked) > _AGGREGATIONS_MAX:
        _refuse(f"Invalid dataset aggregation; at most {_AGGREGATIONS_MAX} are possible")
    for each in asked.values():
        if each.get("name") not in {*COSTS, QUANTITY} or each.get("function") != "Sum":
            _refuse(f"Invalid dataset aggregation '{each.get('name')}'; valid values: {_quoted((*COSTS, QUANTITY))}")
    return tuple(str(each["name"]) for each in asked.values())


def _groups(dataset: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    asked = dataset.get("grouping") or []
    if len(asked) > _GROUPS_MAX:
        _refuse(f"Invalid dataset grouping; at most {_GROUPS_MAX} are possible")
    for each in asked:
        kind, name = each.get("type"), each.get("name")
        if kind not in {"Dimension", "TagKey"} or not name:
            _refuse(f"Invalid dataset grouping type '{kind}'; valid values: 'Dimension','TagKey'")
        if kind == "Dimension" and name not in DIMENSIONS:
            _refuse(f"Invalid dataset grouping: '{name}'; valid values: {_quoted(DIMENSIONS)}")
    return tuple((str(each["type"]), str(each["name"])) for each in asked)


def _check_filter(asked: Any) -> None:
    """`not` is in the documentation and not in the service (Azure/azure-sdk-for-python#21430)."""
    if not isinstance(asked, dict) or len(asked) != 1 or not set(asked) <= {"and", "or", "dimensions", "tags"}:
        _refuse("Invalid dataset filter; on a QueryFilter one and only one of and/or/not/dimension/tag can be set")
    ((kind, value),) = asked.items()
    if kind in {"and", "or"}:
        if not isinstance(value, list) or len(value) < 2:
            _refuse(f"Invalid dataset filter; '{kind}' must have at least two expressions")
        for each in value:
            _check_filter(each)
        return
    if value.get("operator") != "In" or not value.get("values"):
        _refuse("Invalid dataset filter; the operator is 'In', with at least one value")
    if kind == "dimensions" and value.get("name") not in DIMENSIONS:
        _refuse(f"Invalid dataset filter: '{value.get('name')}'; valid values: {_quoted(DIMENSIONS)}")


def _fits(asked: Mapping[str, Any], names: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """Letters' case does not matter."""
    ((kind, value),) = asked.items()
    if kind == "and":
        return all(_fits(each, names, tags) for each in value)
    if kind == "or":
        return any(_fits(each, names, tags) for each in value)
    found = names[value["name"]] if kind == "dimensions" else tags.get(str(value["name"]).lower(), "")
    return found.lower() in {str(each).lower() for each in value["values"]}


def _quoted(names: tuple[str, ...]) -> str:
    return ",".join(f"'{name}'" for name in names)


def _day(time_s: float) -> dt.date:
    return dt.datetime.fromtimestamp(time_s, dt.UTC).date()


def _seconds(day: dt.date) -> float:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()


def _refuse(why: str) -> NoReturn:
    raise Refusal("invalid", f"Invalid query definition: {why}.", code="BadRequest")

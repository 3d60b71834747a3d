"""What does Cost Management answer to a query? The charges of a scope, added up by period and group.

As learn.microsoft.com/rest/api/cost-management/query/usage has it, for a subscription and its resource groups. There is
one currency, USD, and no reservation: actual and amortized costs are the same. Nothing is told of what is to come.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.billing import Paid, paid_for
from deploy.local.clouds.azure.cost_queries import Definition, Period, read_definition
from deploy.local.clouds.bills import DAY_S, Billed, charges
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

PAGE_ROWS = 1000
KEPT_PERIODS = 2
"""Whose rows are kept for the next page: one of ten thousand resources has 30,000."""
_QUERY = "/providers/Microsoft.CostManagement/query"

Row = list[Any]
Keys = Mapping[str, tuple[str, ...]]
"""The group of each kind of charge."""


@dataclass(frozen=True)
class Place:
    """Where a page begins. All pages of an answer tell of one moment: that of the first."""

    as_of_s: float
    period: int = 0
    row: int = 0

    def token(self) -> str:
        return f"{self.as_of_s!r}-{self.period}-{self.row}"


def actions() -> list[Action]:
    kept: OrderedDict[tuple[Any, ...], list[Row]] = OrderedDict()
    return [
        Action("POST", scope + _QUERY, "query.usage", lambda call: _answer(call, kept), mutates=False)
        for scope in ("/subscriptions/{sub}", "/subscriptions/{sub}/resourceGroups/{rg}")
    ]


def _answer(call: Call, kept: OrderedDict[tuple[Any, ...], list[Row]]) -> Answer:
    if "rg" in call.path:
        paths.need_group(call)
    document, place = call.document(), _place(call)
    definition = read_definition(document, place.as_of_s)
    asked = hashlib.sha256(json.dumps([call.http.path, document], sort_keys=True).encode()).hexdigest()
    periods = definition.periods()
    chosen: list[tuple[Billed, Keys]] = []

    def rows_of(number: int) -> list[Row]:
        key = (call.account.account_id, asked, place.as_of_s, number)
        if key not in kept:
            chosen.extend(() if chosen else _chosen(definition, paid_for(call, call.path.get("rg", ""))))
            kept[key] = _rows(definition, periods[number], chosen, place.as_of_s)
            while len(kept) > KEPT_PERIODS:
                kept.popitem(last=False)
        return kept[key]

    rows, following = _page(rows_of, len(periods), place)
    properties = {
        "nextLink": None if following is None else _link(call, following), "columns": definition.columns(),
        "rows": rows,
    }  # fmt: skip
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{asked} {place.as_of_s!r}"))
    scope = call.http.path.removesuffix(_QUERY).lstrip("/")
    body = {
        "id": f"{scope}{_QUERY}/{name}", "name": name, "type": "Microsoft.CostManagement/query", "location": None,
        "sku": None, "eTag": None, "properties": properties,
    }  # fmt: skip
    return Answer(200, body)


def _page(rows_of: Callable[[int], list[Row]], periods: int, place: Place) -> tuple[list[Row], Place | None]:
    """The rows from a place on, and where the next page begins: only the periods that are on the page are added up."""
    found: list[Row] = []
    first = place.row
    for number in range(place.period, periods):
        rows = rows_of(number)
        room = PAGE_ROWS - len(found)
        found += rows[first : first + room]
        if len(rows) - first > room:
            return found, Place(place.as_of_s, number, first + room)
        if len(found) == PAGE_ROWS and number + 1 < periods:
            return found, Place(place.as_of_s, number + 1)
        first = 0
    return found, None


def _chosen(definition: Definition, paid: Iterable[Paid]) -> Iterator[tuple[Billed, Keys]]:
    """What the filter lets through, with the groups of its kinds of charges."""
    for each in paid:
        keys = {
            what: definition.group_of(names, each.tags)
            for what, names in each.names.items()
            if definition.fits(names, each.tags)
        }
        if keys:
            yield each.billed, keys


def _rows(
    definition: Definition, period: Period, chosen: Sequence[tuple[Billed, Keys]], now_s: float
) -> list[Row]:  # fmt: skip
    """The rows of one period, in the order of their groups. Day by day, so that a month is the sum of its days."""
    sums: dict[tuple[str, ...], list[Decimal]] = {}
    days = list(_days(period, now_s))
    for billed, keys in chosen:
        for from_s, until_s in days:
            for charge in charges(billed, from_s, until_s):
                if charge.what in keys:
                    known = sums.setdefault(keys[charge.what], [Decimal(0), Decimal(0)])
                    known[0] += charge.usd
                    known[1] += charge.quantity
    return [definition.row(period, group, *sums[group]) for group in sorted(sums)]


def _days(period: Period, now_s: float) -> Iterator[tuple[float, float]]:
    from_s = period.from_s
    while from_s < min(period.until_s, now_s):
        yield from_s, min(from_s + DAY_S, now_s)
        from_s += DAY_S


def _place(call: Call) -> Place:
    token = call.query.get("$skiptoken")
    if token is None:
        return Place(call.now_s)
    try:
        as_of_s, period, row = token.split("-")
        place = Place(float(as_of_s), int(period), int(row))
    except ValueError:
        raise Refusal("invalid", "The $skiptoken is invalid.", code="BadRequest") from None
    if not 0 <= place.as_of_s <= call.now_s:
        raise Refusal("invalid", "The $skiptoken is invalid.", code="BadRequest")
    return place


def _link(call: Call, place: Place) -> str:
    query: Mapping[str, str] = {**call.query, "$skiptoken": place.token()}
    return f"{call.http.base_url}{call.http.path}?{urlencode(query)}"

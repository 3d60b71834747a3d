"""Which rows does the export of the bill have? One a day, thing and SKU, as the standard usage cost table tells it.

The columns are those of cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/standard-usage. A row tells of
a day, or of the part of it in which the thing was there, where Google's tell of hours. A day is exported when it is
over, and stands in the partition of the day after; from then on its rows stay as they are, unless something is deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from typing import Any

from deploy.local.clouds.bills import COMPUTE, DAY_S, STORAGE, TRAFFIC, Billed, Charge, charges, month_at
from deploy.local.clouds.gcp.billing import Paid
from deploy.local.clouds.gcp.places import number_of, region_of_zone

DAYS_KEPT = 400
"""The table's partitions expire after so many days: that bounds how much there is to read."""
EXPORTED_AFTER_S = 4 * 3600.0
GIB_BYTES = 1024**3
HOUR_S = 3600

Field = dict[str, Any]


def _field(name: str, kind: str, *fields: Field, mode: str = "NULLABLE") -> Field:
    return {"name": name, "type": kind, "mode": mode, **({"fields": list(fields)} if fields else {})}


def _texts(*names: str) -> list[Field]:
    return [_field(name, "STRING") for name in names]


_PAIR = _texts("key", "value")
SCHEMA: Sequence[Field] = (
    _field("billing_account_id", "STRING"),
    _field("service", "RECORD", *_texts("id", "description")),
    _field("sku", "RECORD", *_texts("id", "description")),
    _field("usage_start_time", "TIMESTAMP"),
    _field("usage_end_time", "TIMESTAMP"),
    _field("project", "RECORD", *_texts("id", "number", "name"), _field("labels", "RECORD", *_PAIR, mode="REPEATED"),
           _field("ancestry_numbers", "STRING"),
           _field("ancestors", "RECORD", *_texts("resource_name", "display_name"), mode="REPEATED")),
    _field("labels", "RECORD", *_PAIR, mode="REPEATED"),
    _field("system_labels", "RECORD", *_PAIR, mode="REPEATED"),
    _field("location", "RECORD", *_texts("location", "country", "region", "zone")),
    _field("export_time", "TIMESTAMP"),
    _field("cost", "FLOAT"),
    _field("currency", "STRING"),
    _field("currency_conversion_rate", "FLOAT"),
    _field("usage", "RECORD", _field("amount", "FLOAT"), _field("unit", "STRING"),
           _field("amount_in_pricing_units", "FLOAT"), _field("pricing_unit", "STRING")),
    _field("credits", "RECORD", _field("name", "STRING"), _field("amount", "FLOAT"),
           *_texts("full_name", "id", "type"), mode="REPEATED"),
    _field("invoice", "RECORD", *_texts("month", "publisher_type")),
    _field("cost_type", "STRING"),
    _field("adjustment_info", "RECORD", *_texts("id", "description", "mode", "type")),
    _field("tags", "RECORD", *_PAIR, _field("inherited", "BOOLEAN"), _field("namespace", "STRING"), mode="REPEATED"),
    _field("cost_at_list", "FLOAT"),
    _field("transaction_type", "STRING"),
    _field("seller_name", "STRING"),
)  # fmt: skip
_SERVICE = {"id": "6F81-5844-456A", "description": "Compute Engine"}
_COUNTRIES = {
    "asia-northeast1": "JP", "asia-southeast1": "SG", "australia-southeast1": "AU", "europe-north1": "FI",
    "europe-west1": "BE", "europe-west3": "DE", "southamerica-east1": "BR",
}  # fmt: skip


def billing_account_of(project: str) -> str:
    """`01A2B3-C4D5E6-F70819`, another for each project."""
    digits = sha256(project.encode()).hexdigest()[:16].upper()
    return f"01{digits[:4]}-{digits[4:10]}-{digits[10:]}"


@dataclass(frozen=True)
class Export:
    """The table of one project at a time. Days are counted from 1970; a day is in it when it was exported."""

    project: str
    paid: Sequence[Paid]
    now_s: float

    @cached_property
    def _ends(self) -> list[int]:
        """How many rows there are up to the end of each day from `first_day` on."""
        changes = [0] * (max(0, self.last_day - self.first_day + 1) + 1)
        for each in self.paid:
            first, last = self._days_of(each.billed)
            if first <= last:
                changes[first - self.first_day] += len(each.kinds)
                changes[last - self.first_day + 1] -= len(each.kinds)
        return list(accumulate(accumulate(changes[:-1])))

    @cached_property
    def _billing_account(self) -> str:
        return billing_account_of(self.project)

    @cached_property
    def _project(self) -> dict[str, Any]:
        return {
            "id": self.project, "number": number_of(self.project), "name": self.project, "labels": [],
            "ancestry_numbers": None, "ancestors": [],
        }  # fmt: skip

    @cached_property
    def last_day(self) -> int:
        return int((self.now_s - EXPORTED_AFTER_S) // DAY_S) - 1

    @cached_property
    def first_day(self) -> int:
        return self.last_day - DAYS_KEPT + 1

    def count(self, day: int | None = None) -> int:
        """How many rows there are, in all or of one day."""
        if day is None:
            return self._ends[-1]
        if not self.first_day <= day <= self.last_day:
            return 0
        place = day - self.first_day
        return self._ends[place] - (self._ends[place - 1] if place else 0)

    def rows(self, start: int, size: int, day: int | None = None) -> list[dict[str, Any]]:
        """At most `size` rows from the one with this number on, by day and then in the order of what is paid for."""
        found: list[dict[str, Any]] = []
        for each in (day,) if day is not None else range(self.first_day, self.last_day + 1):
            count = self.count(each)
            if start < count and len(found) < size:
                found += self._rows_of(each, start, size - len(found))
            start = max(0, start - count)
            if len(found) == size:
                break
        return found

    def _rows_of(self, day: int, start: int, size: int) -> list[dict[str, Any]]:
        """Only what is asked for is worked out: a day of ten thousand machines has thirty thousand rows."""
        found: list[dict[str, Any]] = []
        for each in self.paid:
            first, last = self._days_of(each.billed)
            if not first <= day <= last:
                continue
            if start < len(each.kinds):
                found += list(self._rows_of_one(each, day))[start:]
            start = max(0, start - len(each.kinds))
            if len(found) >= size:
                break
        return found[:size]

    def _days_of(self, billed: Billed) -> tuple[int, int]:
        """The first and the last day of the table on which it costs something; the last is before the first if none."""
        first = max(self.first_day, int(billed.launched_s // DAY_S))
        if billed.gone_s is None:
            return first, self.last_day
        return first, min(self.last_day, -int(-billed.gone_s // DAY_S) - 1)

    def _rows_of_one(self, paid: Paid, day: int) -> Iterator[dict[str, Any]]:
        from_s = max(day * DAY_S, paid.billed.launched_s)
        until_s = min((day + 1) * DAY_S, paid.billed.gone_s or (day + 1) * DAY_S)
        by_kind = {each.what: each for each in charges(paid.billed, day * DAY_S, (day + 1) * DAY_S)}
        for kind in paid.kinds:
            yield self._row(paid, by_kind[kind], from_s, until_s)

    def _row(self, paid: Paid, charge: Charge, from_s: float, until_s: float) -> dict[str, Any]:
        sku_id, described = paid.sku(charge.what)
        region, usd, day_s = region_of_zone(paid.zone), float(charge.usd), until_s - (until_s % DAY_S or DAY_S)
        return {
            "billing_account_id": self._billing_account,
            "service": _SERVICE,
            "sku": {"id": sku_id, "description": described},
            "usage_start_time": from_s,
            "usage_end_time": until_s,
            "project": self._project,
            "labels": _pairs(paid.labels),
            "system_labels": _pairs(paid.system_labels if charge.what == COMPUTE else {}),
            "location": {"location": region, "country": _COUNTRIES.get(region, "US"), "region": region,
                         "zone": paid.zone if charge.what != TRAFFIC else None},
            "export_time": day_s + DAY_S + EXPORTED_AFTER_S,
            "cost": usd,
            "currency": "USD",
            "currency_conversion_rate": 1.0,
            "usage": _usage(charge, until_s - from_s, paid.billed),
            "credits": [],
            "invoice": {"month": _month(from_s), "publisher_type": "GOOGLE"},
            "cost_type": "regular",
            "adjustment_info": None,
            "tags": [],
            "cost_at_list": usd,
            "transaction_type": "GOOGLE",
            "seller_name": "Google",
        }  # fmt: skip


def _usage(charge: Charge, seconds: float, billed: Billed) -> dict[str, Any]:
    """In the unit in which it is measured, and in that of the price."""
    quantity = float(charge.quantity)
    if charge.what == COMPUTE:
        return {"amount": seconds, "unit": "seconds", "amount_in_pricing_units": quantity, "pricing_unit": "hour"}
    if charge.what == STORAGE:
        amount = seconds * billed.volumes_gib * GIB_BYTES
        return {"amount": amount, "unit": "byte-seconds", "amount_in_pricing_units": quantity,
                "pricing_unit": "gibibyte month"}  # fmt: skip
    return {"amount": quantity * GIB_BYTES, "unit": "bytes", "amount_in_pricing_units": quantity,
            "pricing_unit": "gibibyte"}  # fmt: skip


def _pairs(known: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(known.items())]


def _month(time_s: float) -> str:
    return str(month_at(time_s)).replace("-", "")


def day_of(text: str) -> int | None:
    """The day of `20260701`, None for what is no day."""
    try:
        moment = dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return int(moment.timestamp() // DAY_S) if len(text) == 8 else None

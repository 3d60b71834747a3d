"""What does a machine cost on a day? A pure function of the machine and the day: no bill is ever stored.

Hours that it ran times its price, its volumes times theirs, and what it sent out, which follows the same seasons as
its load: a summer month costs more than a winter month of the same machines. A volume that pays for itself is a machine
that never ran.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache

from deploy.local.load.dice import chance
from deploy.local.load.series import season

HOUR_S, DAY_S = 3600.0, 86_400.0
HOURS_A_MONTH = 730
COMPUTE, STORAGE, TRAFFIC = "compute", "storage", "traffic"
_GIB_OUT_A_DAY = 4.0
"""Of a machine of average load in winter."""
_EXACT = Decimal("0.0000000001")


@dataclass(frozen=True)
class Billed:
    """A machine as a bill sees it; times are seconds since 1970. A stopped machine pays for its volumes only.

    Prices are USD: an hour of the machine, a month of a GiB of volume, a GiB sent out (0: in the machine's price).
    With `month_hours` an hour begun is a whole one, and after so many of a calendar month (UTC) the month is paid for;
    without, every second counts, and a volume's month has HOURS_A_MONTH.
    """

    id: str
    region: str
    kind: str
    hour_usd: Decimal
    gib_month_usd: Decimal
    gib_out_usd: Decimal
    volumes_gib: int
    launched_s: float
    stopped_s: float | None = None
    gone_s: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    month_hours: float | None = None

    @property
    def ended_s(self) -> float | None:
        """When it ran last; None while it does."""
        return self.stopped_s or self.gone_s


@dataclass(frozen=True)
class Volume:
    """A volume that pays for itself, attached or not: `gib` at `gib_month_usd` from when it was made."""

    id: str
    region: str
    kind: str
    gib: int
    gib_month_usd: Decimal
    created_s: float
    tags: Mapping[str, str] = field(default_factory=dict)
    month_hours: float | None = None

    def billed(self) -> Billed:
        return Billed(
            id=self.id, region=self.region, kind=self.kind, hour_usd=Decimal(0), gib_month_usd=self.gib_month_usd,
            gib_out_usd=Decimal(0), volumes_gib=self.gib, launched_s=self.created_s, stopped_s=self.created_s,
            tags=self.tags, month_hours=self.month_hours,
        )  # fmt: skip


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC: from its first second to that of the next."""

    year: int
    number: int

    @cached_property
    def from_s(self) -> float:
        return float(calendar.timegm((self.year, self.number, 1, 0, 0, 0)))

    @cached_property
    def until_s(self) -> float:
        return self.after.from_s

    @cached_property
    def after(self) -> Month:
        return Month(self.year, self.number + 1) if self.number < 12 else Month(self.year + 1, 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def month_at(time_s: float) -> Month:
    return _month_of(int(time_s // DAY_S))


@lru_cache(maxsize=4096)
def _month_of(day: int) -> Month:
    moment = dt.datetime.fromtimestamp(day * DAY_S, dt.UTC)
    return Month(moment.year, moment.month)


@dataclass(frozen=True)
class Charge:
    """One line of a bill: `quantity` hours, GiB-months or GiB."""

    what: str
    quantity: Decimal
    usd: Decimal


def charges(machine: Billed, from_s: float, until_s: float) -> Iterator[Charge]:
    """What this machine costs from a time until another; nothing for a part of it that is not over: give its end."""
    ran_s = _overlap(from_s, until_s, machine.launched_s, machine.ended_s)
    if ran_s > 0:
        yield _usual(COMPUTE, _hours(machine, from_s, until_s, machine.ended_s), machine.hour_usd)
        if machine.gib_out_usd:
            sent = (
                _GIB_OUT_A_DAY * ran_s / DAY_S * _season_of(int((from_s + until_s) / 2 // DAY_S)) * _share(machine.id)
            )
            yield _charge(TRAFFIC, sent, machine.gib_out_usd)
    if machine.volumes_gib and _overlap(from_s, until_s, machine.launched_s, machine.gone_s) > 0:
        kept_hours = _hours(machine, from_s, until_s, machine.gone_s)
        months = kept_hours / (machine.month_hours or HOURS_A_MONTH)
        yield _usual(STORAGE, machine.volumes_gib * months, machine.gib_month_usd)


def hours_begun(machine: Billed, from_s: float, until_s: float) -> int:
    """For how many hours it was there, on or off; one that began counts whole."""
    return math.ceil(_overlap(from_s, until_s, machine.launched_s, machine.gone_s) / HOUR_S)


def _hours(machine: Billed, from_s: float, until_s: float, ended_s: float | None) -> float:
    if machine.month_hours is None:
        return _overlap(from_s, until_s, machine.launched_s, ended_s) / HOUR_S
    month, hours = month_at(from_s), 0.0
    while month.from_s < until_s:
        hours += _paid_for(machine, month, min(until_s, month.until_s), ended_s)
        if from_s > month.from_s:
            hours -= _paid_for(machine, month, from_s, ended_s)
        month = month.after
    return hours


def _paid_for(machine: Billed, month: Month, until_s: float, ended_s: float | None) -> float:
    """The hours of a month that are charged by a time: the difference of two is what the time between them costs."""
    begun = math.ceil(_overlap(month.from_s, until_s, machine.launched_s, ended_s) / HOUR_S)
    return min(machine.month_hours or math.inf, begun)


@lru_cache(maxsize=1024)
def _season_of(day: int) -> float:
    """At noon of a day, counted from 1970."""
    return season(dt.datetime.fromtimestamp(day * DAY_S, dt.UTC).replace(hour=12))


@lru_cache(maxsize=65_536)
def _share(machine_id: str) -> float:
    """How much a machine sends, beside others."""
    return 0.6 + 0.8 * chance(machine_id)


@lru_cache(maxsize=16_384)
def _usual(what: str, quantity: float, price: Decimal) -> Charge:
    """Whole days of machines of one type are alike."""
    return _charge(what, quantity, price)


def _charge(what: str, quantity: float, price: Decimal) -> Charge:
    exact = Decimal(repr(quantity)).quantize(_EXACT)
    return Charge(what, exact, (exact * price).quantize(_EXACT))


def _overlap(from_s: float, until_s: float, began_s: float, ended_s: float | None) -> float:
    end_s = until_s if ended_s is None else min(until_s, ended_s)
    return max(0.0, end_s - max(from_s, began_s))

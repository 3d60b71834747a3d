"""What stands on a cloud's monthly invoices? A pure function of what an account holds and the time.

Nothing is stored: an invoice is made when it is asked for. So what is deleted is on none any more, not even on those of
the months in which it was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from zlib import crc32

from deploy.local.clouds.bills import Billed, Month, charges, hours_begun, month_at

MONTHS_KEPT = 36
"""Older invoices are not shown: a clock that was put forward by centuries would make one for each of their months."""
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Item:
    """A line: one thing in one month. `usd` is in whole cents; `hours` are those that it was there, on or off."""

    thing: Billed
    from_s: float
    until_s: float
    hours: int
    usd: Decimal


@dataclass(frozen=True)
class Invoice:
    """Of a whole month, or of the part of the running one that is over at `now_s`."""

    month: Month
    now_s: float
    things: Sequence[Billed]
    """Those that are on it, in the order in which they were made."""

    @property
    def until_s(self) -> float:
        return min(self.month.until_s, self.now_s)

    @property
    def usd(self) -> Decimal:
        return sum((self.item(each).usd for each in self.things), Decimal("0.00"))

    def item(self, thing: Billed) -> Item:
        from_s = max(self.month.from_s, thing.launched_s)
        until_s = self.until_s if thing.gone_s is None else min(self.until_s, thing.gone_s)
        usd = sum((each.usd for each in charges(thing, self.month.from_s, self.until_s)), Decimal(0))
        hours = hours_begun(thing, self.month.from_s, self.until_s)
        return Item(thing, from_s, until_s, hours, usd.quantize(_CENT, ROUND_HALF_UP))


def number_of(account: str, month: Month) -> int:
    """An invoice's number where they are numbered: even, larger each month, another series for each account."""
    return (100 + crc32(account.encode()) % 900) * 100_000 + 2 * (month.year * 12 + month.number)


def closed(things: Sequence[Billed], now_s: float) -> list[Invoice]:
    """Of every month that is over since the first thing was made, the newest first."""
    if not things:
        return []
    month, last = month_at(min(each.launched_s for each in things)), month_at(now_s)
    months = []
    while month.from_s < last.from_s:
        months.append(month)
        month = month.after
    return [invoice_of(things, each, now_s) for each in months[-MONTHS_KEPT:][::-1]]


def running(things: Sequence[Billed], now_s: float) -> Invoice:
    """Of the month that is not over yet."""
    return invoice_of(things, month_at(now_s), now_s)


def invoice_of(things: Iterable[Billed], month: Month, now_s: float) -> Invoice:
    from_s, until_s = month.from_s, min(month.until_s, now_s)
    there = [
        each for each in things if each.launched_s < until_s and (each.gone_s is None or each.gone_s > from_s)
    ]  # fmt: skip
    return Invoice(month, now_s, there)

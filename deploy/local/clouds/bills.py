"""What does a machine cost on a day? A pure function of the machine and the day: no bill is ever stored.

Hours that it ran times its price, its volumes times theirs, and what it sent out, which follows the same seasons as its
load: a summer month costs more than a winter month of the same machines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

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

    Prices are USD: an hour of the machine, a month of a GiB of volume, a GiB sent out.
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


@dataclass(frozen=True)
class Charge:
    """One line of a bill: `quantity` hours, GiB-months or GiB."""

    what: str
    quantity: Decimal
    usd: Decimal


def charges(machine: Billed, from_s: float, until_s: float) -> Iterator[Charge]:
    """What this machine costs from a time until another; nothing for a part of it that is not over: give its end."""
    ran_s = _overlap(from_s, until_s, machine.launched_s, machine.stopped_s or machine.gone_s)
    if ran_s > 0:
        yield _charge(COMPUTE, ran_s / HOUR_S, machine.hour_usd)
        noon = dt.datetime.fromtimestamp((from_s + until_s) / 2, dt.UTC).replace(hour=12, minute=0)
        sent = _GIB_OUT_A_DAY * ran_s / DAY_S * season(noon) * (0.6 + 0.8 * chance(machine.id))
        yield _charge(TRAFFIC, sent, machine.gib_out_usd)
    kept_s = _overlap(from_s, until_s, machine.launched_s, machine.gone_s)
    if kept_s > 0 and machine.volumes_gib:
        yield _charge(STORAGE, machine.volumes_gib * kept_s / HOUR_S / HOURS_A_MONTH, machine.gib_month_usd)


def _charge(what: str, quantity: float, price: Decimal) -> Charge:
    exact = Decimal(repr(quantity)).quantize(_EXACT)
    return Charge(what, exact, (exact * price).quantize(_EXACT))


def _overlap(from_s: float, until_s: float, began_s: float, ended_s: float | None) -> float:
    end_s = until_s if ended_s is None else min(until_s, ended_s)
    return max(0.0, end_s - max(from_s, began_s))

"""What is paid for at the clouds that send an invoice each month? Machines, on or off, and volumes, attached or not.

What a machine sends is in its price: the busiest sends less than 400 GiB in a July (`bills`), and the smallest plans of
these clouds include 500. What has no known price is not billed. A volume counts with the size that it has now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from deploy.local.clouds.bills import Billed, Volume
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.lives import size_now, was_there
from deploy.local.clouds.world.provider import Call


@dataclass(frozen=True)
class Tariff:
    """A cloud's prices in USD, None for unknown ones: an hour of a size, a month of a GiB of a volume in a region.

    `size_fact` is where a machine's facts say its size. After `month_hours` of a calendar month no more is counted.
    """

    size_fact: str
    hour_usd: Callable[[str], Decimal | None]
    gib_month_usd: Callable[[str], Decimal | None]
    month_hours: float

    def billed(self, call: Call) -> list[Billed]:
        """The account's machines, then its volumes, each in the order in which they were made."""
        return [*self._machines(call), *self._volumes(call)]

    def _machines(self, call: Call) -> list[Billed]:
        found = []
        for each in call.list(MACHINE):
            for span in was_there(each, size_now(each, self.size_fact, call.now_s)):
                hour_usd = self.hour_usd(span.size)
                if hour_usd is not None:
                    found.append(self._machine(each.id, each.region, span.size, hour_usd, span.from_s, span.until_s))
        return found

    def _machine(
        self, machine_id: str, region: str, size: str, hour_usd: Decimal, from_s: float, until_s: float | None
    ) -> Billed:
        return Billed(
            id=machine_id, region=region, kind=size, hour_usd=hour_usd, gib_month_usd=Decimal(0),
            gib_out_usd=Decimal(0), volumes_gib=0, launched_s=from_s, gone_s=until_s, month_hours=self.month_hours,
        )  # fmt: skip

    def _volumes(self, call: Call) -> list[Billed]:
        found = []
        for each in call.list(VOLUME):
            price, gib = self.gib_month_usd(each.region), each.facts["size"]
            if price is not None:
                volume = Volume(each.id, each.region, "", gib, price, each.created_s, month_hours=self.month_hours)
                found.append(volume.billed())
        return found


def name_of(call: Call, thing: Billed, fact: str) -> str:
    """What its owner calls it, its id for one without a name; `fact` is where its facts say it."""
    known = call.get(VOLUME if thing.volumes_gib else MACHINE, thing.id)
    return thing.id if known is None else str(known.facts[fact] or thing.id)

"""What is on a provider's price list? The file `prices.csv.gz` of each provider; prices.md says where it is from.

A price is in USD, before tax; on demand, but for those of spot machines. What is not on the list has no known price; it
is never free: what its provider calls free is on the list, at 0. The file is read a region at a time, when it is asked
for: Azure's alone has 84,000 rows.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from pathlib import Path

NAME = "prices.csv.gz"
REGIONS_KEPT = 64
"""Of all providers together; a region is 1.5 MB at most (us-east-1), most of AWS a third of that."""


@dataclass(frozen=True, slots=True)
class ListPrice:
    """`usd` per `unit` (`hour`, `month`, or `gib_month`: a GiB for a month) from the first day of a month on.

    `item` is a machine type, `spot:<type>` for it as a spot machine, `disk:<kind>` with the provider's word for the
    kind of a volume, `snapshot`, or what an asset pays for (prices.md). `region` is `global` for what belongs to none.
    """

    region: str
    item: str
    unit: str
    usd: Decimal
    valid_from: date
    source: str


class ListPrices:
    """The prices of one provider; `folder` without a file: none are known."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME

    @cached_property
    def content_hash(self) -> str:
        """Which list this is: another list, another hash."""
        return hashlib.sha256(self._file.read_bytes() if self._file.exists() else b"").hexdigest()

    def of_region(self, region: str) -> Mapping[str, ListPrice]:
        """By item; empty for a region that is not on the list."""
        return _of_region(self._file, region)

    def regions(self) -> tuple[str, ...]:
        """Those that are on the list, in order. Reads all of it."""
        lines = _text(self._file).splitlines()[1:]
        return tuple(dict.fromkeys(line.partition(",")[0] for line in lines))


@lru_cache(maxsize=REGIONS_KEPT)
def _of_region(file: Path, region: str) -> Mapping[str, ListPrice]:
    """The rows of a region stand together, so that only they are parsed."""
    text = _text(file)
    first = text.find(f"\n{region},")
    if first < 0 or not region:
        return {}
    last = text.find("\n", text.rfind(f"\n{region},") + 1)
    rows = csv.reader(text[first + 1 : last if last >= 0 else None].splitlines())
    return {row[1]: _price(*row) for row in rows}


def _text(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode() if file.exists() else ""


def _price(region: str, item: str, unit: str, usd: str, as_of: str, source: str) -> ListPrice:
    return ListPrice(region, item, unit, Decimal(usd), _first_day(as_of), source)


@cache
def _first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")

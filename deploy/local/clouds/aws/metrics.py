"""Which values did a metric have, per period? A store in memory, as fast as arrays and bisection make it."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

# CloudWatch keeps points of less than 60 s for 3 hours, of 60 s for 15 days, of 300 s for 63 days (its User Guide,
# "Metrics retention"). To bound the memory of a demonstration, 60 s are kept for one day and everything for 15 days.
DETAILED_S, MINUTES_S, KEPT_S = 3 * 3600.0, 24 * 3600.0, 15 * 24 * 3600.0
COMPACT_EVERY = 2000

Dimensions = tuple[tuple[str, str], ...]
Key = tuple[str, str, Dimensions]


@dataclass(frozen=True)
class Point:
    """A set of samples at one moment; a single value is a set of one."""

    time_s: float
    count: float
    total: float
    low: float
    high: float


@dataclass(frozen=True)
class Bucket:
    start_s: float
    points: tuple[Point, ...]

    def statistic(self, name: str) -> float:
        """Average, Sum, Minimum, Maximum, SampleCount or pNN; raises ValueError for anything else.

        A percentile weighs every sample set as its average, which is exact for single values.
        """
        count = sum(p.count for p in self.points)
        total = sum(p.total for p in self.points)
        simple = {
            "Average": total / count,
            "Sum": total,
            "Minimum": min(p.low for p in self.points),
            "Maximum": max(p.high for p in self.points),
            "SampleCount": count,
        }
        return simple[name] if name in simple else self._percentile(name, count)

    def _percentile(self, name: str, count: float) -> float:
        if not name.startswith("p"):
            raise ValueError(f"The value {name} for parameter Stat is not supported.")
        share = float(name[1:]) / 100
        if not 0 <= share <= 1:
            raise ValueError(f"The value {name} for parameter Stat is not supported.")
        seen = 0.0
        ordered = sorted((p.total / p.count, p.count) for p in self.points)
        for value, weight in ordered:
            seen += weight
            if seen >= share * count:
                return value
        return ordered[-1][0]


def _doubles() -> "array[float]":
    return array("d")


@dataclass
class Series:
    """Points of one metric in order of time, column by column."""

    times: "array[float]" = field(default_factory=_doubles)
    counts: "array[float]" = field(default_factory=_doubles)
    totals: "array[float]" = field(default_factory=_doubles)
    lows: "array[float]" = field(default_factory=_doubles)
    highs: "array[float]" = field(default_factory=_doubles)
    unit: str | None = None
    added: int = 0

    def _columns(self) -> tuple["array[float]", ...]:
        return (self.times, self.counts, self.totals, self.lows, self.highs)

    def add(self, point: Point) -> None:
        at = bisect_right(self.times, point.time_s)
        values = (point.time_s, point.count, point.total, point.low, point.high)
        for column, value in zip(self._columns(), values, strict=True):
            column.insert(at, value)
        self.added += 1
        if self.added % COMPACT_EVERY == 0:
            self.compact(self.times[-1])

    def points(self, start_s: float, end_s: float) -> Iterator[Point]:
        """Points with start <= time < end."""
        for at in range(bisect_left(self.times, start_s), bisect_left(self.times, end_s)):
            yield Point(self.times[at], self.counts[at], self.totals[at], self.lows[at], self.highs[at])

    def buckets(self, start_s: float, end_s: float, period_s: int) -> Iterator[Bucket]:
        """Points by period, oldest first; periods begin at multiples of themselves, as CloudWatch rounds them."""
        first = math.floor(start_s / period_s) * period_s
        collected: list[Point] = []
        current: float = first
        for point in self.points(first, end_s):
            bucket = math.floor(point.time_s / period_s) * period_s
            if bucket != current and collected:
                yield Bucket(current, tuple(collected))
                collected = []
            current = bucket
            collected.append(point)
        if collected:
            yield Bucket(current, tuple(collected))

    def compact(self, now_s: float) -> None:
        """Rolls old points up into minutes, then into five minutes, then drops them."""
        kept = [
            *self._rolled(now_s - KEPT_S, now_s - MINUTES_S, 300),
            *self._rolled(now_s - MINUTES_S, now_s - DETAILED_S, 60),
            *self.points(now_s - DETAILED_S, math.inf),
        ]
        rows = [(p.time_s, p.count, p.total, p.low, p.high) for p in kept]
        columns = zip(*rows, strict=True) if rows else ((),) * 5
        self.times, self.counts, self.totals, self.lows, self.highs = (array("d", column) for column in columns)

    def _rolled(self, start_s: float, end_s: float, period_s: int) -> Iterator[Point]:
        grouped: dict[float, list[Point]] = {}
        for point in self.points(start_s, end_s):
            grouped.setdefault(math.floor(point.time_s / period_s) * period_s, []).append(point)
        for start, points in grouped.items():
            yield Point(
                start,
                sum(p.count for p in points),
                sum(p.total for p in points),
                min(p.low for p in points),
                max(p.high for p in points),
            )


@dataclass
class MetricStore:
    """All series of one account and region. Not safe for threads: the caller holds the cloud's lock."""

    series: dict[Key, Series] = field(default_factory=dict)

    def put(self, key: Key, points: list[Point], unit: str | None) -> None:
        series = self.series.setdefault(key, Series())
        series.unit = unit or series.unit
        for point in points:
            series.add(point)

    def find(self, key: Key) -> Series:
        """The series of this very set of dimensions; an empty one when nothing was ever put."""
        return self.series.get(key) or Series()

    def keys(self, namespace: str | None, name: str | None, wanted: list[tuple[str, str | None]]) -> list[Key]:
        """Series that match; a dimension without a value matches any value."""
        return [
            key
            for key in self.series
            if (not namespace or key[0] == namespace)
            and (not name or key[1] == name)
            and all(any(d == n and w in (None, v) for d, v in key[2]) for n, w in wanted)
        ]

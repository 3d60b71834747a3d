"""When is the next backup due, and which backups are no longer needed?"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.messages.plans import RetentionPolicy

INTERVALS: Mapping[str, timedelta] = {
    "continuous": timedelta(minutes=15),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
}
"""`continuous` is as often as snapshots of a volume make sense: EBS limits them per volume (15 s) and in number."""


def next_run_at(frequency: str, due_at: datetime, now: datetime) -> datetime:
    """The first time after `now` on the grid that `due_at` is on: missed runs are not made up for."""
    interval = INTERVALS[frequency]
    if due_at > now:
        return due_at
    return due_at + interval * ((now - due_at) // interval + 1)


def expires_at(policy: RetentionPolicy, recovery_point_at: datetime) -> datetime | None:
    """When a backup may be deleted; None for generations, where later backups decide."""
    return recovery_point_at + timedelta(days=policy.days) if policy.kind == "days" else None


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """A completed backup as retention sees it; `regions` hold a complete set of its snapshots."""

    id: UUID
    target: UUID
    recovery_point_at: datetime
    retention: RetentionPolicy
    regions: frozenset[str]


def expired(backups: Sequence[KeptBackup], now: datetime) -> list[UUID]:
    """Those whose policy has ended; never the newest of a resource in any region: an old backup is better than none."""
    by_target: dict[UUID, list[KeptBackup]] = defaultdict(list)
    for backup in sorted(backups, key=_age_order, reverse=True):
        by_target[backup.target].append(backup)
    return [each for mine in by_target.values() for each in _expired_of_one(mine, now)]


def _age_order(backup: KeptBackup) -> tuple[datetime, UUID]:
    """A cloud tells its snapshots' times in whole seconds: of two in one second, the later id is the newer backup."""
    return backup.recovery_point_at, backup.id


def _expired_of_one(newest_first: Sequence[KeptBackup], now: datetime) -> Iterable[UUID]:
    needed = _newest_in_each_region(newest_first)
    generations = [each for each in newest_first if each.retention.kind == "generations"]
    for policy in {each.retention for each in generations}:
        needed |= _kept_generations(policy, [each for each in generations if each.retention == policy])
    for backup in newest_first:
        end = expires_at(backup.retention, backup.recovery_point_at)
        if backup.id not in needed and (end is None or end <= now):
            yield backup.id


def _newest_in_each_region(newest_first: Sequence[KeptBackup]) -> set[UUID]:
    found: dict[str, UUID] = {}
    for backup in newest_first:
        for region in backup.regions:
            found.setdefault(region, backup.id)
    return set(found.values())


_PERIODS: tuple[tuple[str, Callable[[datetime], tuple[int, ...]]], ...] = (
    ("daily", lambda time: (time.year, time.month, time.day)),
    ("weekly", lambda time: time.isocalendar()[:2]),
    ("monthly", lambda time: (time.year, time.month)),
    ("yearly", lambda time: (time.year,)),
)


def _kept_generations(policy: RetentionPolicy, newest_first: Sequence[KeptBackup]) -> set[UUID]:
    """The newest backup of each of the newest days, weeks, months and years (UTC) that have one."""
    kept: set[UUID] = set()
    for name, period_of in _PERIODS:
        newest_of: dict[tuple[int, ...], UUID] = {}
        for backup in newest_first:
            newest_of.setdefault(period_of(backup.recovery_point_at.astimezone(UTC)), backup.id)
        kept |= set(list(newest_of.values())[: getattr(policy, name)])
    return kept

"""The next run stays on its grid, retention keeps what was promised, and the newest backup is never deleted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recovery.domain.backups import INTERVALS, KeptBackup, expired, expires_at, next_run_at
from shared.messages.plans import RetentionPolicy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEB, DATABASE = UUID(int=1), UUID(int=2)
EAST, WEST = "us-east-1", "us-west-2"
ONE_DAY = RetentionPolicy(kind="days", days=1)
MONTH = RetentionPolicy(kind="days", days=30)
SEEDED = RetentionPolicy(kind="generations")
"""7 daily, 4 weekly, 12 monthly, 7 yearly: requirements C37."""


def uuid7(time: datetime, tail: int) -> UUID:
    """A UUIDv7 (RFC 9562) made at `time`: 48 bits of milliseconds, version, variant, and `tail`."""
    return UUID(int=int(time.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | tail)


def backup(
    number: int,
    age: timedelta,
    policy: RetentionPolicy = ONE_DAY,
    *,
    target: UUID = WEB,
    regions: Sequence[str] = (EAST, WEST),
) -> KeptBackup:
    return KeptBackup(UUID(int=number), target, NOW - age, policy, frozenset(regions))


def generations(daily: int = 0, weekly: int = 0, monthly: int = 0, yearly: int = 0) -> RetentionPolicy:
    return RetentionPolicy(kind="generations", daily=daily, weekly=weekly, monthly=monthly, yearly=yearly)


def kept_times(times: Sequence[datetime], policy: RetentionPolicy) -> list[datetime]:
    backups = [
        KeptBackup(UUID(int=index), WEB, time, policy, frozenset({EAST})) for index, time in enumerate(times, start=1)
    ]
    gone = set(expired(backups, NOW))
    return sorted(each.recovery_point_at for each in backups if each.id not in gone)


POLICIES = st.builds(
    RetentionPolicy,
    kind=st.sampled_from(["days", "generations"]),
    days=st.integers(1, 60),
    daily=st.integers(0, 4),
    weekly=st.integers(0, 3),
    monthly=st.integers(0, 3),
    yearly=st.integers(0, 2),
)
BACKUPS = st.lists(
    st.builds(
        KeptBackup,
        id=st.uuids(),
        target=st.sampled_from([WEB, DATABASE]),
        recovery_point_at=st.integers(0, 900 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
        retention=POLICIES,
        regions=st.frozensets(st.sampled_from([EAST, WEST])),
    ),
    max_size=20,
    unique_by=lambda each: each.id,
)


@pytest.mark.parametrize("frequency", sorted(INTERVALS))
@pytest.mark.parametrize("late_by", [0.0, 0.25, 1.0, 1.5, 100.0])
def test_the_next_run_is_the_first_on_the_grid_after_now(frequency: str, late_by: float) -> None:
    interval = INTERVALS[frequency]
    due_at = NOW - late_by * interval
    found = next_run_at(frequency, due_at, NOW)
    assert NOW < found <= NOW + interval
    assert (found - due_at) % interval == timedelta(0)


@given(
    frequency=st.sampled_from(sorted(INTERVALS)),
    due_at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_no_run_moves_the_grid(frequency: str, due_at: datetime) -> None:
    interval = INTERVALS[frequency]
    found = next_run_at(frequency, due_at, NOW)
    assert found > NOW
    assert (found - due_at) % interval == timedelta(0)
    assert found == due_at or found - interval <= NOW


@pytest.mark.parametrize(
    ("frequency", "interval"),
    [
        ("continuous", timedelta(minutes=15)),
        ("hourly", timedelta(hours=1)),
        ("daily", timedelta(days=1)),
        ("weekly", timedelta(days=7)),
        ("monthly", timedelta(days=30)),
    ],
)
def test_a_frequency_means_what_it_says(frequency: str, interval: timedelta) -> None:
    assert next_run_at(frequency, NOW, NOW) == NOW + interval


def test_a_run_that_is_not_due_yet_stays_where_it_is() -> None:
    assert next_run_at("hourly", NOW + timedelta(days=3), NOW) == NOW + timedelta(days=3)


def test_days_end_at_the_recovery_point_plus_the_days_and_generations_have_no_date() -> None:
    assert expires_at(MONTH, NOW) == NOW + timedelta(days=30)
    assert expires_at(SEEDED, NOW) is None


def test_of_no_backups_none_is_expired() -> None:
    assert expired([], NOW) == []


@pytest.mark.parametrize(
    ("age", "gone"),
    [(timedelta(days=30, microseconds=-1), []), (timedelta(days=30), [1]), (timedelta(days=31), [1])],
)
def test_a_backup_expires_when_its_days_are_over(age: timedelta, gone: list[int]) -> None:
    found = expired([backup(1, age, MONTH), backup(2, timedelta(0), MONTH)], NOW)
    assert found == [UUID(int=number) for number in gone]


def test_the_only_backup_is_kept_however_old() -> None:
    assert expired([backup(1, timedelta(days=4000))], NOW) == []


def test_each_resource_keeps_its_own_newest() -> None:
    web, database = backup(1, timedelta(days=5)), backup(2, timedelta(days=9), target=DATABASE)
    assert expired([web, database], NOW) == []


def test_an_old_backup_stays_while_it_is_the_newest_in_a_region() -> None:
    copied, not_copied = backup(1, timedelta(days=9)), backup(2, timedelta(days=5), regions=[EAST])
    assert expired([copied, not_copied], NOW) == []
    superseded = expired([copied, not_copied, backup(3, timedelta(days=2))], NOW)
    assert set(superseded) == {copied.id, not_copied.id}


def test_an_incomplete_backup_does_not_take_the_place_of_the_newest_complete_one() -> None:
    complete, incomplete = backup(1, timedelta(days=9)), backup(2, timedelta(days=5), regions=[])
    assert expired([complete, incomplete], NOW) == [incomplete.id]


@pytest.mark.parametrize("read_order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(("first_tail", "second_tail"), [(1, 2), (2, 1)])
def test_of_two_backups_of_one_second_the_one_with_the_later_id_is_the_newest(
    first_tail: int, second_tail: int, read_order: tuple[int, int]
) -> None:
    """Clouds tell whole seconds: two recovery points can be equal, their UUIDv7 tell the milliseconds."""
    point = NOW - timedelta(days=9)
    made = [
        KeptBackup(uuid7(point + timedelta(milliseconds=milliseconds), tail), WEB, point, ONE_DAY, frozenset({EAST}))
        for milliseconds, tail in ((100, first_tail), (101, second_tail))
    ]
    assert expired([made[index] for index in read_order], NOW) == [made[0].id]


def test_generations_keep_the_newest_of_each_of_the_newest_days_that_have_one() -> None:
    morning, evening = timedelta(hours=6), timedelta(hours=1)
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in (2, 9, 18, 19)]
    times = [day + offset for day in days for offset in (evening, morning)]
    assert kept_times(times, generations(daily=3)) == [day + morning for day in days[1:]]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (generations(weekly=2), [(2026, 11, 8), (2026, 11, 9)]),
        (generations(monthly=2), [(2026, 10, 31), (2026, 11, 9)]),
        (generations(yearly=2), [(2025, 12, 31), (2026, 11, 9)]),
        (generations(daily=1, monthly=2, yearly=2), [(2025, 12, 31), (2026, 10, 31), (2026, 11, 9)]),
        (generations(), [(2026, 11, 9)]),
    ],
)
def test_weeks_begin_on_monday_and_months_and_years_are_those_of_the_calendar(
    policy: RetentionPolicy, expected: list[tuple[int, int, int]]
) -> None:
    days = [(2025, 12, 30), (2025, 12, 31), (2026, 10, 31), (2026, 11, 7), (2026, 11, 8), (2026, 11, 9)]
    found = kept_times([datetime(*day, tzinfo=UTC) for day in days], policy)
    assert found == [datetime(*day, tzinfo=UTC) for day in expected]


def test_the_first_days_of_january_belong_to_the_last_week_of_the_year() -> None:
    times = [datetime(2025, 12, 29, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)]
    assert kept_times(times, generations(weekly=2)) == times[1:]


def test_a_daily_backup_of_ten_years_leaves_seven_days_four_weeks_twelve_months_and_seven_years() -> None:
    found = kept_times([NOW - timedelta(days=age) for age in range(3650)], SEEDED)
    days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in range(14, 21)]
    weeks = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (1, 8, 15, 20)]
    months = [datetime(2026, month, 1, 12, tzinfo=UTC) - timedelta(days=1) for month in range(1, 12)]
    years = [datetime(year, 12, 31, 12, tzinfo=UTC) for year in range(2020, 2026)]
    assert found == sorted({*days, *weeks, *months, *years})


def test_a_day_is_one_of_utc_whatever_zone_the_times_are_told_in() -> None:
    times = [datetime(2026, 11, 18, 22, tzinfo=UTC), datetime(2026, 11, 19, 1, tzinfo=UTC)]
    told_in_new_york = [time.astimezone(timezone(timedelta(hours=-5))) for time in times]
    assert kept_times(told_in_new_york, generations(daily=2)) == times


@given(backups=BACKUPS)
def test_the_newest_of_each_resource_in_each_region_is_never_expired(backups: list[KeptBackup]) -> None:
    gone = set(expired(backups, NOW))
    for target in (WEB, DATABASE):
        for region in (EAST, WEST):
            there = [each for each in backups if each.target == target and region in each.regions]
            if there:
                assert max(there, key=lambda each: (each.recovery_point_at, each.id)).id not in gone


@given(backups=BACKUPS, data=st.data())
def test_what_is_expired_does_not_depend_on_the_order_that_backups_are_read_in(
    backups: list[KeptBackup], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(backups))
    assert set(expired(shuffled, NOW)) == set(expired(backups, NOW))


@given(backups=BACKUPS)
def test_when_the_expired_are_deleted_nothing_more_expires_at_that_time(backups: list[KeptBackup]) -> None:
    gone = expired(backups, NOW)
    assert len(gone) == len(set(gone))
    left = [each for each in backups if each.id not in gone]
    assert expired(left, NOW) == []


@given(backups=BACKUPS)
def test_no_backup_is_expired_before_its_days_are_over(backups: list[KeptBackup]) -> None:
    gone = set(expired(backups, NOW))
    for each in backups:
        end = expires_at(each.retention, each.recovery_point_at)
        assert each.id not in gone or end is None or end <= NOW

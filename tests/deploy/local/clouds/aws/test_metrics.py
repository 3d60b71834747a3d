"""What becomes of metric points as they grow old?"""

from deploy.local.clouds.aws.metrics import DETAILED_S, KEPT_S, MINUTES_S, Point, Series


def filled(times) -> Series:
    series = Series()
    for time_s in times:
        series.add(Point(time_s, 1, time_s, time_s, time_s))
    return series


def test_points_that_come_late_take_their_place() -> None:
    assert [p.time_s for p in filled([30, 10, 20]).points(0, 100)] == [10, 20, 30]


def test_the_end_of_a_window_is_outside_of_it() -> None:
    assert [p.time_s for p in filled([0, 5, 10]).points(0, 10)] == [0, 5]


def test_a_window_that_starts_within_a_period_sees_the_whole_period() -> None:
    bucket = next(filled([0, 5, 10, 55]).buckets(30, 60, 60))
    assert (bucket.start_s, bucket.statistic("SampleCount")) == (0, 4)


def test_old_points_are_rolled_up_and_older_ones_dropped_without_changing_their_sums() -> None:
    now_s = 40 * 24 * 3600.0
    recent = [now_s - 5 * n for n in range(4)]
    hours_old = [now_s - DETAILED_S - 600 + 5 * n for n in range(24)]
    days_old = [now_s - MINUTES_S - 3600 + 5 * n for n in range(120)]
    ancient = [now_s - KEPT_S - 100]
    series = filled([*ancient, *days_old, *hours_old, *recent])
    series.compact(now_s)
    kept = list(series.points(0, now_s + 1))
    assert [p.time_s for p in kept[-4:]] == sorted(recent)
    assert len(kept) < 4 + 24 + 120
    assert sum(p.count for p in kept) == 4 + 24 + 120
    assert sum(p.total for p in kept) == sum([*days_old, *hours_old, *recent])
    assert all(p.time_s % 60 == 0 for p in kept[:-4])

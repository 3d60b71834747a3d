"""A planted case has the load that makes it one, and its right answer follows from the load."""

import datetime as dt

import pytest

from deploy.local.load.cases import (
    BURST,
    BURST_HOURS,
    DISK_FILLING,
    IDLE,
    IDLE_CPU_MAX,
    KINDS,
    OVERSIZED,
    OVERSIZED_CPU_MAX,
    OVERSIZED_MEMORY_MAX,
    RUNAWAY,
    Case,
    planted_case,
    right_answer,
)
from deploy.local.load.series import Push, values_at

BEGAN = dt.datetime(2026, 7, 4, tzinfo=dt.UTC).timestamp()  # the busiest days of the year
HOURS = [BEGAN + 3600 * hour + 1800 for hour in range(72)]


def week(kind: str, machine: str = "m-1") -> list[dict[str, float]]:
    push = Push({}, None, Case(kind, BEGAN))
    return [values_at(machine, time_s, push) for time_s in HOURS]


def test_before_it_began_the_load_is_the_machines_own() -> None:
    for kind in KINDS:
        push = Push({}, None, Case(kind, BEGAN))
        assert values_at("m-1", BEGAN - 60, push) == values_at("m-1", BEGAN - 60)


def test_idle_and_oversized_stay_below_what_their_answers_say() -> None:
    assert max(each["cpu"] for each in week(IDLE)) <= IDLE_CPU_MAX
    assert max(each["cpu"] for each in week(OVERSIZED)) <= OVERSIZED_CPU_MAX
    assert max(each["memory"] for each in week(OVERSIZED)) <= OVERSIZED_MEMORY_MAX
    assert max(values_at("m-1", time_s)["cpu"] for time_s in HOURS) > OVERSIZED_CPU_MAX


def test_a_disk_is_full_when_the_answer_says() -> None:
    case = Case(DISK_FILLING, BEGAN)
    full_s = dt.datetime.fromisoformat(right_answer(case, "m-1")["full_at"]).timestamp()
    push = Push({}, None, case)
    assert values_at("m-1", full_s - 3600, push)["disk"] < 100
    assert values_at("m-1", full_s + 10, push)["disk"] == 100
    assert [each["disk"] for each in week(DISK_FILLING)] == sorted(each["disk"] for each in week(DISK_FILLING))


def test_a_runaway_never_rests() -> None:
    assert min(each["cpu"] for each in week(RUNAWAY)) >= 96
    assert week(RUNAWAY)[-1]["memory"] == 98


def test_a_burst_comes_daily_at_its_hour() -> None:
    hour = right_answer(Case(BURST, BEGAN), "m-1")["hour_utc"]
    high = {
        dt.datetime.fromtimestamp(t, dt.UTC).hour
        for t, each in zip(HOURS, week(BURST), strict=True)
        if each["cpu"] >= 90
    }
    assert high == {(hour + later) % 24 for later in range(BURST_HOURS)}


def test_what_is_pushed_comes_before_the_case() -> None:
    assert values_at("m-1", BEGAN + 60, Push({"cpu": 50.0}, None, Case(IDLE, BEGAN)))["cpu"] == 50


def test_an_estate_has_some_of_each_kind_and_most_machines_have_none() -> None:
    found = [planted_case(5, f"m-{number}", BEGAN) for number in range(1000)]
    assert {case.kind for case in found if case is not None} == set(KINDS)
    assert 100 < sum(case is not None for case in found) < 200
    assert found[0] == planted_case(5, "m-0", BEGAN)
    with pytest.raises(ValueError, match="idle"):
        Case("lazy", 0)

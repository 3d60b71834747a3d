"""Is a budget divided so that nobody has too much while another lacks, and is the record read as it was written?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clouds.budget.rate import Api
from shared.clouds.budget.shares import (
    GONE_AFTER_S,
    Member,
    Notice,
    Record,
    Report,
    Throttle,
    divide,
    first_record,
    read_record,
)

API = Api("calls")
NOW_S = 1_000_000.0
members = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.builds(Member, st.floats(1, 100), st.none() | st.floats(0, 1000), st.just(NOW_S)),
    min_size=1,
    max_size=6,
)


@given(st.floats(0.02, 10_000), members)
def test_all_of_it_is_given_and_who_lacks_has_no_less_than_others_by_weight(rate_per_s, all_of_them) -> None:
    shares = divide(rate_per_s, all_of_them)
    assert sum(shares.values()) == pytest.approx(rate_per_s)
    for name, member in all_of_them.items():
        if member.demand_per_s is None or shares[name] < member.demand_per_s - 1e-6:
            level = shares[name] / member.weight
            assert all(shares[other] / one.weight <= level + 1e-6 for other, one in all_of_them.items())


def test_a_process_that_is_new_is_counted_as_a_hungry_one() -> None:
    record = Record(first_record(API).estimate, {"a": Member(1, None, NOW_S)})
    assert record.share_per_s("b", NOW_S) == 5


def test_who_was_not_heard_of_needs_nothing_unless_nobody_can_be_heard() -> None:
    record = Record(first_record(API).estimate, {"a": Member(1, None, NOW_S)})
    later_s, me = NOW_S + GONE_AFTER_S + 1, Member(1, None, NOW_S + GONE_AFTER_S + 1)
    assert set(record.with_report("b", Report(), me, later_s, API).members) == {"b"}
    assert set(record.with_report("b", Report(), me, later_s, API, growing=False).members) == {"a", "b"}


def test_one_throttled_call_told_by_two_processes_is_one_cut() -> None:
    me = Member(1, None, NOW_S)
    report = Report(throttles=(Throttle(0, None),))
    record = first_record(API).with_report("a", report, me, NOW_S, API).with_report("b", report, me, NOW_S, API)
    assert record.estimate.cuts == 1


def test_the_refill_is_measured_from_what_all_processes_were_answered() -> None:
    record = first_record(API)
    for name in ("a", "b"):
        throttles = (Throttle(0, None),) if name == "a" else ()
        record = record.with_report(name, Report(throttles=throttles), Member(1, None, NOW_S), NOW_S, API)
    for second in range(1, 9):
        for name, answered in (("a", 2), ("b", 1)):
            me = Member(1, None, NOW_S + second)
            record = record.with_report(name, Report(1, answered, pressed=True), me, NOW_S + second, API)
    cut = record.with_report("b", Report(1, throttles=(Throttle(1, None),)), Member(1, None, NOW_S + 8), NOW_S + 8, API)
    assert cut.estimate.ceiling_per_s == pytest.approx(3.0)
    assert [member.answered for member in cut.members.values()] == [0, 0]


def test_answers_of_calls_that_were_sent_before_a_cut_are_not_counted_after_it() -> None:
    me = Member(1, None, NOW_S)
    cut = first_record(API).with_report("a", Report(throttles=(Throttle(0, None),)), me, NOW_S, API)
    late = cut.with_report("b", Report(cuts=0, answered=50, pressed=True), me, NOW_S, API)
    assert late.members["b"].answered == 0
    assert late.estimate.rate_per_s == cut.estimate.rate_per_s


@given(members)
def test_a_record_is_read_as_it_was_written(all_of_them) -> None:
    report = Report(0, 3, throttles=(Throttle(0, 2.5),), notice=Notice(10, 60, NOW_S))
    record = Record(first_record(API).estimate, all_of_them).with_report("x", report, None, NOW_S, API)
    assert read_record(record.to_bytes()) == record


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"format": 2}', b'{"format": 1, "estimate": {}}', b"\xff"])
def test_what_cannot_be_read_is_as_if_nothing_was_there(body: bytes) -> None:
    assert read_record(body) is None

"""An alert fires once, after its time, and ends once, after its time: requirements 1.3 and C16."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.alert_rules import Signal
from services.monitor.domain.alerts import Standing, State, Transition, link_of, step

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNALS = {"x": Signal.CROSSED, ".": Signal.CLEARED, "-": Signal.BETWEEN, "?": Signal.UNKNOWN}
STORED = {None, Standing.PENDING, Standing.FIRING, Standing.RECOVERING}


def story(signals: str, for_s: float = 0, recover_s: float = 0) -> str:
    """What a rule makes of one point a minute: F fires, R resolves, a space is nothing."""
    state, told = None, ""
    for index, each in enumerate(signals):
        state, transition = step(state, SIGNALS[each], START + timedelta(minutes=index), for_s, recover_s)
        told += {None: " ", Transition.FIRE: "F", Transition.RESOLVE: "R"}[transition]
    return told


@pytest.mark.parametrize(
    ("signals", "told"),
    [
        ("", ""),
        ("...", "   "),
        ("x", "F"),
        ("xxx", "F  "),
        ("x.", "FR"),
        ("x..", "FR "),
        ("x.x.", "FRFR"),
        ("-x", " F"),
        ("x---x", "F    "),
        ("x?.", "F R"),
        ("?", " "),
    ],
)
def test_an_alert_fires_once_and_resolves_once_when_it_has_cleared(signals: str, told: str) -> None:
    assert story(signals) == told


@pytest.mark.parametrize(
    ("signals", "told"),
    [
        ("xxx", "  F"),
        ("xx.xxx", "     F"),
        ("xx-xxx", "     F"),
        ("xx", "  "),
        ("x?x", "  F"),
        ("?xxx", "   F"),
    ],
)
def test_an_alert_fires_when_it_was_crossed_for_its_time_without_a_break(signals: str, told: str) -> None:
    assert story(signals, for_s=120) == told


@pytest.mark.parametrize(
    ("signals", "told"),
    [
        ("x...", "F  R"),
        ("x..x...", "F     R"),
        ("x..-...", "F     R"),
        ("x.?.", "F  R"),
        ("x..", "F  "),
    ],
)
def test_an_alert_ends_when_it_was_clear_for_its_time_without_a_break(signals: str, told: str) -> None:
    assert story(signals, recover_s=120) == told


def test_what_is_not_measured_neither_fires_nor_resolves_and_changes_no_state() -> None:
    for state in (None, *(State(each, START) for each in Standing)):
        later = START + timedelta(days=1)
        assert step(state, Signal.UNKNOWN, later, 0, 0) == (state, None)


@pytest.mark.parametrize("standing", [Standing.OK, Standing.RESOLVED])
def test_a_stored_quiet_state_begins_like_no_state(standing: Standing) -> None:
    for signal in Signal:
        if signal is not Signal.UNKNOWN:
            assert step(State(standing, START), signal, START, 0, 0) == step(None, signal, START, 0, 0)


def test_two_points_of_one_time_fire_once() -> None:
    state, first = step(None, Signal.CROSSED, START, 0, 0)
    assert (first, step(state, Signal.CROSSED, START, 0, 0)) == (Transition.FIRE, (state, None))


def run(signals: Sequence[Signal], for_s: float, recover_s: float) -> list[Transition]:
    state, happened = None, []
    for index, signal in enumerate(signals):
        state, transition = step(state, signal, START + timedelta(minutes=index), for_s, recover_s)
        assert (state and state.standing) in STORED
        if transition is not None:
            happened.append(transition)
    return happened


WAITS = st.sampled_from([0, 60, 150])


@given(signals=st.lists(st.sampled_from(list(Signal))), for_s=WAITS, recover_s=WAITS)
def test_firing_and_resolving_take_turns_and_firing_comes_first(
    signals: list[Signal], for_s: float, recover_s: float
) -> None:
    happened = run(signals, for_s, recover_s)
    assert happened == [Transition.FIRE, Transition.RESOLVE] * (len(happened) // 2) + [Transition.FIRE] * (
        len(happened) % 2
    )


@given(signals=st.lists(st.sampled_from(list(Signal))), for_s=WAITS, recover_s=WAITS)
def test_longer_waits_never_make_more_alerts(signals: list[Signal], for_s: float, recover_s: float) -> None:
    assert run(signals, for_s, recover_s).count(Transition.FIRE) <= run(signals, 0, 0).count(Transition.FIRE)


@given(signals=st.lists(st.sampled_from(list(Signal))), for_s=WAITS, recover_s=WAITS, split=st.integers(0, 50))
def test_a_restart_between_two_points_changes_nothing(
    signals: list[Signal], for_s: float, recover_s: float, split: int
) -> None:
    """The state that is stored is all that the machine remembers (requirements C16)."""
    state: State | None = None
    happened = []
    for index, signal in enumerate(signals):
        if index == split and state is not None:
            state = State(Standing(str(state.standing)), datetime.fromisoformat(state.since.isoformat()))
        state, transition = step(state, signal, START + timedelta(minutes=index), for_s, recover_s)
        happened += [transition] if transition is not None else []
    assert happened == run(signals, for_s, recover_s)


def test_an_alert_links_to_its_own_page() -> None:
    assert link_of(UUID(int=5)) == f"/api/cloud/monitoring/alerts/{UUID(int=5)}"

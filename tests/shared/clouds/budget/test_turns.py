"""Is everybody's turn fair, people's soon, and does nobody starve?"""

from hypothesis import given
from hypothesis import strategies as st

from shared.clouds.budget.turns import CREDIT_CALLS, PEOPLE_IN_A_ROW, Priority, Turns

BACKGROUND, PEOPLE = Priority.BACKGROUND, Priority.PEOPLE


def filled(*lengths: int) -> Turns[tuple[str, int]]:
    turns: Turns[tuple[str, int]] = Turns()
    for scope, length in enumerate(lengths):
        for number in range(length):
            turns.add(str(scope), BACKGROUND, (str(scope), number))
    return turns


def test_busy_scopes_share_evenly_and_each_is_served_in_its_order() -> None:
    turns = filled(1000, 40, 40)
    taken = [turns.take() for _ in range(60)]
    assert [sum(scope == each for scope, _ in taken) for each in "012"] == [20, 20, 20]
    assert [number for scope, number in taken if scope == "1"] == list(range(20))


def test_a_small_scope_that_comes_late_is_done_first() -> None:
    turns = filled(1000)
    for _ in range(200):
        turns.take()
    for number in range(CREDIT_CALLS):
        turns.add("small", BACKGROUND, ("small", number))
    assert {turns.take()[0] for _ in range(CREDIT_CALLS)} == {"small"}


def test_a_scope_gains_nothing_by_leaving_and_coming_back() -> None:
    turns = filled(1000)
    taken = 0
    for _ in range(400):
        turns.add("sly", BACKGROUND, ("sly", 0))  # one at a time, so that it leaves after each
        taken += turns.take()[0] == "sly"
        turns.remove("sly", BACKGROUND, ("sly", 0))
    assert taken <= 200 + CREDIT_CALLS


def test_people_go_first_and_the_background_still_moves() -> None:
    turns = filled(100)
    for number in range(100):
        turns.add("click", PEOPLE, ("click", number))
    taken = [turns.take()[0] for _ in range(50)]
    assert taken[0] == "click"
    assert taken.count("0") == 50 // (PEOPLE_IN_A_ROW + 1)


def test_who_gives_up_is_not_served() -> None:
    turns = filled(2)
    assert turns.remove("0", BACKGROUND, ("0", 0))
    assert not turns.remove("0", BACKGROUND, ("0", 0))
    assert turns.take() == ("0", 1)
    assert not turns
    assert turns.scopes == 0


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(1, 200))
def test_nobody_who_waits_is_overtaken_by_more_than_the_credit(lengths, count) -> None:
    turns = filled(*lengths)
    served = dict.fromkeys(map(str, range(len(lengths))), 0)
    for _ in range(min(count, sum(lengths))):
        served[turns.take()[0]] += 1
        waiting = [number for scope, number in served.items() if number < lengths[int(scope)]]
        assert not waiting or max(waiting) - min(waiting) <= CREDIT_CALLS

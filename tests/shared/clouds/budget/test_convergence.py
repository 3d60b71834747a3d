"""Do processes that share a budget find a hidden limit, follow it, and let a small scope through? In virtual time."""

import pytest

from shared.clouds.budget.turns import CREDIT_CALLS
from tests.shared.clouds.budget.virtual import START_S, World

CHANGING = [(30.0, 40.0), (30.0, 15.0), (30.0, 60.0), (30.0, 30.0)]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("processes", [1, 3])
def test_a_limit_that_changes_is_used_and_hardly_ever_exceeded(seed: int, processes: int) -> None:
    world = World(CHANGING, processes=processes, seed=seed)
    for process in range(processes):
        world.begin("huge", process, workers=200)
    world.run()
    assert world.goodput >= 0.9
    assert world.throttled_share < 0.02


def test_a_limit_of_two_a_second_is_found_as_well() -> None:
    world = World([(120.0, 2.0)], bucket_s=2)
    world.begin("huge", 0, workers=20)
    world.run()
    assert world.goodput >= 0.9
    assert world.throttled_share < 0.05  # the ascent to it counts among 240 calls


@pytest.mark.parametrize("limit", [20.0, 40.0])
@pytest.mark.parametrize("process", [0, 2])
def test_a_small_scope_is_hardly_slowed_by_a_huge_one(process: int, limit: float) -> None:
    """Also where the huge one is in another process, and where the small one alone would be limited as well."""

    def seconds(*, beside_huge: bool) -> float:
        world = World([(60.0, limit)])
        if beside_huge:
            world.begin("huge", 0, workers=500)
            world.begin("huge", 1, workers=500)
        else:
            world.begin("other", 0, calls=5)
        world.begin("small", process, calls=CREDIT_CALLS, at_s=30)
        world.run()
        return world.done_s["small"] - 30

    assert seconds(beside_huge=True) <= 1.5 * seconds(beside_huge=False)


def test_nothing_is_sent_by_any_process_before_the_time_that_the_provider_named() -> None:
    world = World([(30.0, 20.0)], retry_after_s=5.0)
    for process in range(3):
        world.begin("huge", process, workers=50)
    while not world.throttled:
        world.run(world.now_s + 0.01)
    throttled_s = world.now_s
    world.run(throttled_s + 0.2)  # what was under way comes back
    answered = world.answered.total()
    world.run(throttled_s + 4.8)
    assert world.answered.total() == answered
    world.run(throttled_s + 7)
    assert world.answered.total() > answered


def test_a_process_that_cannot_tell_the_others_keeps_to_its_share_and_still_learns_to_send_less() -> None:
    world = World([(60.0, 30.0)])
    for process in range(3):
        world.begin("huge", process, workers=50)
    world.run(40)
    lane, now_s = world.lanes[0], START_S + world.now_s
    share = lane.share_per_s
    assert share < 0.5 * world.record.estimate.rate_per_s
    for second in range(1, 60):
        lane.adopt(
            lane.without_others(*lane.take_report(now_s + second), now_s + second, growing=False),
            now_s + second,
            away=True,
        )
        assert lane.share_per_s <= share
    call, permit = lane.take(now_s + 60)
    lane.throttled(permit, None, now_s + 60.1)
    assert call.scope == "huge"
    assert lane.share_per_s < share

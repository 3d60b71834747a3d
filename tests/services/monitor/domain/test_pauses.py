"""Who held up the worker pauses alone, and only for a while."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.monitor.domain.pauses import Pauses

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SLOW, QUICK = UUID(int=1), UUID(int=2)


def test_only_who_was_slow_pauses_and_only_until_the_pause_is_over() -> None:
    pauses = Pauses(300)
    assert pauses.begin(SLOW, START) == START + timedelta(seconds=300)
    assert pauses.paused([SLOW, QUICK], START + timedelta(seconds=299)) == {SLOW}
    assert pauses.paused([SLOW, QUICK], START + timedelta(seconds=300)) == set()


def test_who_is_slow_again_pauses_again() -> None:
    pauses = Pauses(300)
    pauses.begin(SLOW, START)
    pauses.begin(SLOW, START + timedelta(seconds=200))
    assert pauses.paused([SLOW], START + timedelta(seconds=400)) == {SLOW}

"""Each organization waits for its own posts only."""

import pytest

from shared.kit.errors import RetryLater
from shared.outward.turns import Turns


def test_one_key_has_its_turns_and_another_has_its_own() -> None:
    turns = Turns(2, retry_after_s=3.0)
    with turns.take("a"), turns.take("a"):
        with pytest.raises(RetryLater) as refused, turns.take("a"):
            pass
        assert refused.value.delay_s == 3.0
        with turns.take("b"):
            pass
    with turns.take("a"), turns.take("a"):
        pass


def test_a_turn_ends_with_a_failure_too() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="broken"), turns.take("a"):
        raise ValueError("broken")
    with turns.take("a"):
        pass

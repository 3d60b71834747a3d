"""What time is it in a simulated cloud?"""

import time
from collections.abc import Callable

LAST_S = 32_503_680_000.0
"""The year 3000: times beyond 9999 have no date, and a clock never goes back."""


class Clock:
    """Wall time plus an offset that `/_sim/advance` moves forward. Signatures are checked against wall time: a client
    signs with its own clock, which nobody advances.
    """

    def __init__(self, wall: Callable[[], float] = time.time, offset_s: float = 0.0) -> None:
        self._wall = wall
        self.offset_s = offset_s

    def wall_s(self) -> float:
        """Seconds since 1970, as the client sees them."""
        return self._wall()

    def now_s(self) -> float:
        """Seconds since 1970 of the simulated time that machines and snapshots live in."""
        return self._wall() + self.offset_s

    def advance(self, seconds: float) -> None:
        """Moves the simulated time forward; raises ValueError for a step back or beyond the year 3000."""
        if not seconds >= 0:  # NaN too
            raise ValueError("the clock cannot go back")
        if self.now_s() + seconds > LAST_S:
            raise ValueError("the clock cannot go beyond the year 3000")
        self.offset_s += seconds

"""What time is it in a simulated cloud?"""

import time
from collections.abc import Callable


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
        """Moves the simulated time forward; raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError("the clock cannot go back")
        self.offset_s += seconds

"""How many posts may one organization have under way? Its own few, so that slow receivers delay nobody else's."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from shared.kit.errors import RetryLater


class Turns:
    """At most `allowed` at once per key, in one process."""

    def __init__(self, allowed: int, retry_after_s: float = 1.0) -> None:
        self._allowed = allowed
        self._retry_after_s = retry_after_s
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def take(self, key: Hashable) -> Iterator[None]:
        """Hold a turn. Raises RetryLater when all of this key are taken: its worker is free for others meanwhile."""
        if self._taken[key] >= self._allowed:
            raise RetryLater(self._retry_after_s, f"{self._allowed} are under way")
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]

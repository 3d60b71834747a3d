"""Has this caller asked too often? A limit per principal and kind of route, counted in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from services.gateway.domain.rate_limits import RateLimit, RouteKind, decide
from services.gateway.settings import Settings
from shared.kit.errors import TooManyRequests, Unauthenticated

PERIOD_S = 60.0
PRUNE_AT = 20_000
"""Callers remembered before those whose allowance is whole again are forgotten: they would be new callers anyway."""
PRUNE_EVERY_S = 1.0
"""To look through all of them takes milliseconds: not for each of a crowd that is still counted."""


class RateLimits:
    """Counts requests. Each replica counts for itself (domain/rate_limits.py)."""

    def __init__(self, settings: Settings) -> None:
        self._limits = {
            RouteKind.SIGN_IN: RateLimit(settings.sign_ins_per_minute, PERIOD_S),
            RouteKind.REFUSED: RateLimit(settings.refusals_per_minute, PERIOD_S),
            RouteKind.READ: RateLimit(settings.reads_per_minute, PERIOD_S),
            RouteKind.WRITE: RateLimit(settings.writes_per_minute, PERIOD_S),
            RouteKind.LONG_WORK: RateLimit(settings.long_works_per_minute, PERIOD_S),
        }
        self._whole_again_at_s: dict[tuple[str, RouteKind], float] = {}
        self._pruned_at_s = 0.0

    def count(self, caller: str, kind: RouteKind) -> None:
        """Count one request of `caller` (an actor, an address, an e-mail). Raises TooManyRequests with its delay."""
        now_s = monotonic()
        key = (caller, kind)
        decision = decide(self._limits[kind], self._whole_again_at_s.get(key), now_s)
        self._whole_again_at_s[key] = decision.whole_again_at_s
        if len(self._whole_again_at_s) > PRUNE_AT and now_s - self._pruned_at_s >= PRUNE_EVERY_S:
            self._prune(now_s)
        if not decision.allowed:
            raise _slow_down(decision.retry_after_s)

    @contextmanager
    def refusals(self, address: str, *, trusted: bool = False) -> Iterator[None]:
        """Around a look at credentials: what is refused counts, and too many end the looks of an address.

        `trusted` credentials were genuine lately: they are looked at again whatever their neighbours present. Raises
        TooManyRequests before the look, or in place of its Unauthenticated.
        """
        if not trusted:
            known_s = self._whole_again_at_s.get((address, RouteKind.REFUSED))
            decision = decide(self._limits[RouteKind.REFUSED], known_s, monotonic())
            if not decision.allowed:
                raise _slow_down(decision.retry_after_s)
        try:
            yield
        except Unauthenticated:
            self.count(address, RouteKind.REFUSED)
            raise

    def _prune(self, now_s: float) -> None:
        self._pruned_at_s = now_s
        self._whole_again_at_s = {key: at_s for key, at_s in self._whole_again_at_s.items() if at_s > now_s}


def _slow_down(retry_after_s: float) -> TooManyRequests:
    return TooManyRequests("slow down", retry_after_s=retry_after_s)

"""May this caller ask once more now? A limit per principal and kind of route, with the time as an argument.

The generic cell rate algorithm (ITU-T I.371): one number per caller, the time at which its allowance is whole again.
Each replica counts for itself, so with N replicas a caller gets up to N times the limit.
"""

from dataclasses import dataclass
from enum import StrEnum


class RouteKind(StrEnum):
    """Routes with a limit of their own."""

    SIGN_IN = "sign_in"  # per address and per e-mail: what a guesser varies
    REFUSED = "refused"  # keys, tokens and tickets that let nobody in, per address
    READ = "read"
    WRITE = "write"
    LONG_WORK = "long_work"  # starts work at a cloud, or asks one while the caller waits


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests in a period, at once if the caller likes."""

    requests: int
    period_s: float


@dataclass(frozen=True, slots=True)
class RateDecision:
    """`whole_again_at_s` is to be kept for the caller; a refused request does not move it."""

    allowed: bool
    whole_again_at_s: float
    retry_after_s: float = 0.0


def decide(limit: RateLimit, whole_again_at_s: float | None, now_s: float) -> RateDecision:
    """Count one request at `now_s`; `whole_again_at_s` comes from the caller's last decision, None for a new caller."""
    interval_s = limit.period_s / limit.requests
    start_s = now_s if whole_again_at_s is None else max(whole_again_at_s, now_s)
    next_s = start_s + interval_s
    excess_s = next_s - now_s - limit.period_s
    if excess_s > interval_s * 1e-6:  # less is rounding, not a request
        return RateDecision(allowed=False, whole_again_at_s=start_s, retry_after_s=excess_s)
    return RateDecision(allowed=True, whole_again_at_s=next_s)

"""What does an answer's header say about how many calls are left?

DigitalOcean: RateLimit-Limit, -Remaining and -Reset of the hour; Linode: the same with X- before it, of the call's own
window. Reset is in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_SCARCE_SHARE = 0.2
"""While more than that is left nothing has to be spread."""
_PREFIXES = ("ratelimit", "x-ratelimit")


@dataclass(frozen=True, slots=True)
class Notice:
    """The provider takes `remaining` more calls in the next `reset_in_s` seconds."""

    remaining: float
    reset_in_s: float


def notice_of(headers: Mapping[str, str], now_s: float) -> Notice | None:
    """None without (readable) headers and while plenty is left; names of headers are lower case."""
    for prefix in _PREFIXES:
        numbers = [headers.get(f"{prefix}-{name}", "") for name in ("limit", "remaining", "reset")]
        if all(number.isdecimal() for number in numbers):
            limit, remaining, reset_at_s = map(float, numbers)
            scarce = remaining < _SCARCE_SHARE * limit and reset_at_s > now_s
            return Notice(remaining, reset_at_s - now_s) if scarce else None
    return None

"""How many calls a second does a provider take, as far as its answers show? Pure; the time is an argument.

A provider counts with a token bucket of unknown size and refill. Two facts follow, and the estimate rests on them:

- Between two throttled calls the bucket was empty twice, so what was answered in between is what was refilled: the
  refill rate is measured, not guessed (unless the bucket overflowed in between, then it is at least that).
- Since a throttled call nobody can have got more than what was refilled in the time since. Who did has proof that the
  limit has risen.

So the rate is cut to what was measured, grows by a twentieth of that in each probe of 30 calls (a probe may cost a
throttled call, and those shall be less than two in a hundred), and doubles each second or so where nothing is known yet
or a rise is proved. botocore's adaptive mode (botocore/retries/adaptive.py: CUBIC by the clock, cut to 0.7) gives a
third of the limit away at each throttled call, and probes a limit of 2/s as often as one of 200/s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

RATE_MIN_PER_S = 0.02
RATE_MAX_PER_S = 10_000.0
PAUSE_MAX_S = 3600.0
"""DigitalOcean counts by the hour; nobody's Retry-After is longer."""

_DOUBLING_S = 1.2
_STEP = 0.05
"""Of the ceiling: below it the rate starts after a cut, and by that it grows with each probe."""
_HASTE = 0.1
"""Beyond the ceiling the steps grow, so that a limit that has risen is found soon."""
_PROBE_CALLS = 30
_PROBE_S = 1.2
_CUT = 0.7
"""The factor where two cuts are too near to each other to measure anything between them: the rate was far too high."""
_PROOF = 1.03
_PROOF_CALLS = 3
_PAUSE_CALLS_MAX = 8
"""Nobody calls for as long as the bucket needs for one call after a cut, two and more when cuts follow each other."""
_PAUSE_MEASURABLE_S = 2.0
_QUIET_S = 5.0
_WINDOW_AT_ONCE = 0.8
_BURST_REGAINED_PER_CALL = 0.01


@dataclass(frozen=True, slots=True)
class Api:
    """Calls that a provider counts together: a label, and what it publishes as limit (where it does).

    `burst` is the size of its token bucket in calls. `regional`: each region has a bucket of its own.
    """

    name: str
    rate_per_s: float = 10.0
    burst: float = 10.0
    regional: bool = False


def windowed(name: str, calls: int, window_s: float, *, regional: bool = False) -> Api:
    """A provider that takes `calls` in each window of time: most of them at once, or all of them evenly."""
    return Api(name, calls / window_s, calls * _WINDOW_AT_ONCE, regional)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of one bucket. Times are seconds since the epoch: several processes keep it together.

    `cuts` numbers the cuts: a call that was sent before the last one says nothing new when it comes back throttled.
    `pressed` counts the calls that were answered since then while others had to wait.
    """

    rate_per_s: float
    burst: float
    ceiling_per_s: float | None = None
    rising: bool = True
    cuts: int = 0
    cuts_in_a_row: int = 0
    cut_at_s: float = 0.0
    pressed: int = 0
    not_before_s: float = 0.0
    cap_per_s: float | None = None
    cap_until_s: float = 0.0

    def rate_at(self, now_s: float) -> float:
        """Calls a second for all processes together; what the provider itself said it has left is never exceeded."""
        if self.cap_per_s is not None and now_s < self.cap_until_s:
            return max(RATE_MIN_PER_S, min(self.rate_per_s, self.cap_per_s))
        return self.rate_per_s

    def after_answers(self, count: int, taken: int, now_s: float, api: Api, *, pressed: bool) -> Estimate:
        """`count` calls were answered, `taken` since the last cut by all processes that told it.

        The rate grows only where the budget was what calls waited for (`pressed`).
        """
        known = replace(self, burst=min(api.burst, self.burst + count * _BURST_REGAINED_PER_CALL))
        if not pressed or count == 0:
            return known
        pressed_calls, rising = self.pressed + count, self.rising or self._has_risen(taken, now_s)
        rate_per_s = _bounded(self._grown(count, pressed_calls, rising=rising))
        return replace(known, pressed=pressed_calls, rising=rising, rate_per_s=rate_per_s)

    def after_throttle(
        self, cuts_when_sent: int, now_s: float, retry_after_s: float | None, measured_per_s: float | None
    ) -> Estimate:
        """A call that was sent when `cuts_when_sent` cuts were known was throttled.

        `measured_per_s` is what was answered since the last cut; None when that were too few calls to tell.
        """
        pause_s = min(retry_after_s or 0.0, PAUSE_MAX_S)
        if cuts_when_sent < self.cuts:
            return replace(self, not_before_s=max(self.not_before_s, now_s + pause_s))
        in_a_row = 0 if measured_per_s is not None else self.cuts_in_a_row + 1
        ceiling = self._ceiling_after(measured_per_s)
        own_pause_s = min(_PAUSE_CALLS_MAX, 2**in_a_row) / ceiling
        return replace(
            self,
            rate_per_s=_bounded(ceiling * (1 - _STEP)),
            burst=max(1.0, self.burst / 2) if self._was_quiet(now_s) else self.burst,
            ceiling_per_s=ceiling,
            rising=False,
            cuts=self.cuts + 1,
            cuts_in_a_row=in_a_row,
            cut_at_s=now_s,
            pressed=0,
            not_before_s=max(self.not_before_s, now_s + max(pause_s, min(own_pause_s, PAUSE_MAX_S))),
        )

    def after_notice(self, remaining: float, reset_in_s: float, now_s: float) -> Estimate:
        """The provider said that it takes `remaining` more calls until `reset_in_s` from now."""
        reset_in_s = min(max(reset_in_s, 1.0), PAUSE_MAX_S)
        if remaining < 1:
            return replace(self, not_before_s=max(self.not_before_s, now_s + reset_in_s))
        return replace(self, cap_per_s=remaining / reset_in_s, cap_until_s=now_s + reset_in_s)

    def _grown(self, count: int, pressed: int, *, rising: bool) -> float:
        if rising or self.ceiling_per_s is None:
            return self.rate_per_s * 2 ** min(1.0, count / (self.rate_per_s * _DOUBLING_S))
        probes = pressed / max(_PROBE_CALLS, _PROBE_S * self.ceiling_per_s)
        return self.ceiling_per_s * (1 - _STEP + _STEP * probes + _HASTE * max(0.0, probes - 1) ** 2)

    def _has_risen(self, taken: int, now_s: float) -> bool:
        if self.ceiling_per_s is None:
            return True
        return taken > _PROOF * self.ceiling_per_s * (now_s - self.cut_at_s) + _PROOF_CALLS

    def _was_quiet(self, now_s: float) -> bool:
        """Nobody had to wait since the last cut, which is long ago: it is a burst that was too much."""
        return self.pressed == 0 and now_s - self.cut_at_s > _QUIET_S

    def _ceiling_after(self, measured: float | None) -> float:
        if self.rising or self.not_before_s - self.cut_at_s > _PAUSE_MEASURABLE_S:  # the bucket may have overflowed
            ceiling = max(measured or 0.0, self.rate_per_s * _CUT)
        elif measured is None:
            ceiling = self.rate_per_s * _CUT
        else:
            ceiling = measured
        return _bounded(min(ceiling, self.rate_per_s))


def first_estimate(api: Api) -> Estimate:
    """Of a bucket that nobody asked yet: what the provider publishes, and rising until the first throttled call."""
    return Estimate(api.rate_per_s, api.burst)


def _bounded(rate_per_s: float) -> float:
    return min(RATE_MAX_PER_S, max(RATE_MIN_PER_S, rate_per_s))

"""What follows from an attempt to deliver? Sent, once more after a while, or failed for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BACKOFF_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
RETRYABLE_STATUS: Final = frozenset({408, 425, 429})
"""Besides 5xx: RFC 9110 (408), RFC 8470 (425), RFC 6585 (429)."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one post: `status` None means no answer; `detail` is safe to show."""

    is_sent: bool
    is_retryable: bool
    status: int | None = None
    retry_after_s: float | None = None
    detail: str = ""


def result_of_status(status: int, retry_after_s: float | None, text: str) -> Result:
    """2xx is sent; 408, 425, 429 and 5xx may pass; anything else is final, redirects too: they are not followed."""
    if 200 <= status < 300:
        return Result(is_sent=True, is_retryable=False, status=status)
    retryable = status in RETRYABLE_STATUS or status >= 500
    printable = "".join(each if each.isprintable() else " " for each in text[:200])
    return Result(False, retryable, status, retry_after_s, f"answered {status}: {printable}".strip())


def backoff_s(attempt: int, retry_after_s: float | None) -> float:
    """Seconds before the next attempt (1 was the first); never sooner than the other side wishes."""
    return max(BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1], retry_after_s or 0.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`next_attempt_at` is set when it is to be retried."""

    status: str
    next_attempt_at: datetime | None = None


def verdict(result: Result, attempt: int, attempts_allowed: int, now: datetime) -> Verdict:
    if result.is_sent:
        return Verdict("sent")
    if not result.is_retryable or attempt >= attempts_allowed:
        return Verdict("failed")
    return Verdict("retrying", now + timedelta(seconds=backoff_s(attempt, result.retry_after_s)))

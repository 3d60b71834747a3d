"""What can go wrong, in words that every door understands.

CanopyError                 has a stable `code`, a `status` (HTTP), a `title`, a `detail`, and `errors` with pointers
├── InvalidInput      422   ├── Unauthenticated 401   ├── PermissionDenied 403   ├── NotFound 404
├── Conflict          409   ├── Stale           412   ├── TooManyRequests  429   ├── TooLarge 413
├── Unavailable       503   └── TimedOut        504
Reject                      a message that can never succeed: dead letter at once
RetryLater                  try the same message again after `delay_s`; never counts towards a dead letter
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input: a JSON pointer (RFC 6901) and a sentence."""

    pointer: str
    detail: str


class CanopyError(Exception):
    """An expected failure. `code` is stable and snake_case; `detail` is for people and never holds a secret."""

    status = 500
    code = "internal_error"
    title = "Internal error"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s

    def as_problem(self) -> dict[str, Any]:
        """The error as it travels in replies: `code`, `title`, `detail`, `status`, `errors[]`, `retry_after_s`."""
        return {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "status": self.status,
            "errors": [{"pointer": error.pointer, "detail": error.detail} for error in self.errors],
            "retry_after_s": self.retry_after_s,
        }


class InvalidInput(CanopyError):
    status, code, title = 422, "invalid_input", "The input is not valid"


class Unauthenticated(CanopyError):
    status, code, title = 401, "unauthenticated", "Authentication is required"


class PermissionDenied(CanopyError):
    status, code, title = 403, "permission_denied", "Permission denied"


class NotFound(CanopyError):
    status, code, title = 404, "not_found", "Not found"


class Conflict(CanopyError):
    status, code, title = 409, "conflict", "The state of the thing does not allow this"


class Stale(CanopyError):
    status, code, title = 412, "stale_version", "The thing has changed since it was read"


class TooLarge(CanopyError):
    status, code, title = 413, "body_too_large", "The body is too large"


class TooManyRequests(CanopyError):
    status, code, title = 429, "rate_limited", "Too many requests"


class Unavailable(CanopyError):
    status, code, title = 503, "unavailable", "The service is away"


class TimedOut(CanopyError):
    status, code, title = 504, "timed_out", "The service did not answer in time"


class Reject(Exception):
    """This message can never succeed."""


class RetryLater(Exception):
    """Not now: try again after `delay_s` seconds. Does not count towards a dead letter."""

    def __init__(self, delay_s: float, reason: str = "") -> None:
        super().__init__(reason)
        self.delay_s = delay_s


def retry_after_s(error: BaseException) -> float | None:
    """Seconds to wait before a repeat can help, or None when it cannot.

    An error says so itself through `retryable` and `retry_after_s` (shared/clouds/errors.py): the thrower knows best.
    """
    if isinstance(error, RetryLater):
        return error.delay_s
    if getattr(error, "retryable", False):
        hint: float | None = getattr(error, "retry_after_s", None)
        return 1.0 if hint is None else hint
    return None

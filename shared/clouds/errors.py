"""What can go wrong at a cloud, in words that say whether to try again.

Two questions decide what a caller does, and each class answers both:

- `retryable`: may the *same* request succeed later, without anybody changing it?
- `outcome_unknown`: may the cloud have done it although we got this error? Then a create is looked up by its token
  (or repeated with the same token where the provider honours one) before anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field of a request: `field` is dotted (`security_groups.0`), `detail` a sentence."""

    field: str
    detail: str


class CloudError(Exception):
    """A cloud refused or failed a call.

    `code` is the provider's own code (`InsufficientInstanceCapacity`) or ours where it gave none. `message` is safe to
    show to a tenant: no credential is ever part of it. `retry_after_s` is the provider's own wish, None without one.
    """

    retryable: ClassVar[bool] = False
    outcome_unknown: ClassVar[bool] = False

    def __init__(
        self, code: str, message: str, *, provider: str, operation: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.provider = provider
        self.operation = operation
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.provider} {self.operation}: {self.message} ({self.code})"


class NoCapacity(CloudError):
    """The provider has no such machine left in that zone or region now; another zone, type or hour may have."""

    retryable = True


class RateLimited(CloudError):
    """Too many calls; nothing was done. Wait `retry_after_s`, or back off when it is None."""

    retryable = True


class StillWorking(CloudError):
    """The thing is on its way to the wanted state (or another change holds it): ask again later."""

    retryable = True


class Unreachable(CloudError):
    """No answer: refused connection, time-out, broken connection. Whether the cloud did it is unknown."""

    retryable = True
    outcome_unknown = True


class ProviderFault(CloudError):
    """The provider answered that it failed itself (5xx). Whether it did the thing is unknown."""

    retryable = True
    outcome_unknown = True


class AuthFailed(CloudError):
    """The provider does not know these credentials, or they are expired or revoked. Only new ones help."""


class PermissionDenied(CloudError):
    """The credentials are good, but may not do this."""


class QuotaExceeded(CloudError):
    """A limit of the account is used up; it must be raised, or something must be released."""


class NotFound(CloudError):
    """No such thing in that account and region (or not visible yet: a new thing may take seconds to appear)."""


class Conflict(CloudError):
    """The thing, its name or its token is already used for something else, or other things depend on it."""


class IncorrectState(Conflict):
    """The thing's state does not allow this (start a terminated machine): read its state, then decide."""


class InvalidRequest(CloudError):
    """The request is wrong and stays wrong: `problems` names each field, empty when the provider did not say which."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        provider: str,
        operation: str,
        retry_after_s: float | None = None,
        problems: tuple[FieldProblem, ...] = (),
    ) -> None:
        super().__init__(code, message, provider=provider, operation=operation, retry_after_s=retry_after_s)
        self.problems = problems

    @property
    def field(self) -> str | None:
        """The first field that is wrong, None when unknown."""
        return self.problems[0].field if self.problems else None


class Unsupported(InvalidRequest):
    """The provider cannot do that at all: unknown provider, resource type or capability."""

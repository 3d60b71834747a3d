"""What is to be decided about an account at a cloud: what its answers mean for people, and how healthy it is."""

from collections.abc import Collection
from dataclasses import dataclass

from shared.clouds import errors as clouds
from shared.clouds.errors import CloudError
from shared.kit.errors import CanopyError, Conflict, FieldError, InvalidInput, TimedOut, Unavailable

HEALTHY = "healthy"
DEGRADED = "degraded"
CRITICAL = "critical"
UNKNOWN = "unknown"

INVALID_CREDENTIALS = "Invalid cloud provider credentials"
RETRY_AFTER_S = 5.0


DEGRADED_AFTER = 2
CRITICAL_AFTER = 5
HEALTHY_AFTER = 2
"""Checks in a row, one each minute: without an answer until degraded and critical, with one until healthy again.

One lost answer is no outage. An account whose cloud loses one call in a hundred would turn degraded and back each other
hour on single answers, and does so once a week on two in a row; two minutes later is soon enough for whoever reads it,
since work at the account fails or waits by itself at once. Back needs two as well: what comes and goes is away.
"""


@dataclass(frozen=True, slots=True)
class Health:
    """How an account is, why it is not healthy, and how many checks in a row have said otherwise."""

    status: str
    reason: str | None = None
    streak: int = 0


def health_of(error: CloudError | None, before: Health) -> Health:
    """What an answer of the cloud (None: it accepted us) says about the account whose health was `before`.

    What a cloud says is believed at once: credentials that it refuses are critical, anything else that it denies is
    degraded. Silence and faults of its own have to last. Throttling says nothing about the account.
    """
    if error is None:
        return _answered(before)
    if isinstance(error, clouds.AuthFailed):
        return Health(CRITICAL, f"the provider does not accept the credentials ({error.code})")
    if isinstance(error, clouds.RateLimited):
        reason = before.reason if before.status in {DEGRADED, CRITICAL} else f"the provider throttles us ({error.code})"
        return Health(before.status, reason, before.streak)
    reason = f"{type(error).__name__} ({error.code})"
    if not error.outcome_unknown:
        return Health(DEGRADED, reason)
    lost = min(max(before.streak, 0) + 1, CRITICAL_AFTER)
    if before.status == CRITICAL or lost >= CRITICAL_AFTER:
        return Health(CRITICAL, reason, lost)
    return Health(DEGRADED if lost >= DEGRADED_AFTER else before.status, reason, lost)


def _answered(before: Health) -> Health:
    """A streak below zero counts the good answers of one that is not well."""
    good = min(before.streak, 0) - 1
    if before.status in {DEGRADED, CRITICAL} and -good < HEALTHY_AFTER:
        return Health(before.status, before.reason, good)
    return Health(HEALTHY)


def is_silent(health: Health) -> bool:
    """Whether it gave no answer the last time, so that the next question may have to wait for one as well."""
    return health.streak > 0


def not_asked(reason: str) -> Health:
    """Nobody knows how it is: the account is not asked, or cannot be."""
    return Health(UNKNOWN, reason)


def refusal(error: CloudError, pointer: str) -> CanopyError:  # noqa: PLR0911 - a table, row by row
    """The cloud's error as the answer to a request. `pointer`: where in the body the cloud's fields are."""
    if isinstance(error, clouds.AuthFailed):
        return InvalidInput(
            INVALID_CREDENTIALS,
            code="invalid_credentials",
            errors=[FieldError("/credentials_config", "the provider does not accept these credentials")],
        )
    if isinstance(error, clouds.RateLimited):
        return Unavailable("the provider throttles us", code="provider_throttled",
                           retry_after_s=error.retry_after_s or RETRY_AFTER_S)  # fmt: skip
    if isinstance(error, clouds.Unreachable):
        return TimedOut("the provider did not answer", code="provider_unreachable", retry_after_s=RETRY_AFTER_S)
    if error.retryable:
        return Unavailable("the provider cannot do it now", code="provider_unavailable", retry_after_s=RETRY_AFTER_S)
    if isinstance(error, clouds.PermissionDenied):
        return InvalidInput(f"the credentials may not do this: {error.message}", code="insufficient_permissions")
    if isinstance(error, clouds.InvalidRequest):
        return invalid(error, pointer)
    return Conflict(error.message, code="provider_refused")


def invalid(error: clouds.InvalidRequest, pointer: str) -> InvalidInput:
    """A cloud's or catalog's complaint with a pointer for each field, `a.b` below `pointer` as `/a/b`."""
    fields = [
        FieldError(f"{pointer}/{problem.field.replace('~', '~0').replace('/', '~1').replace('.', '/')}", problem.detail)
        for problem in error.problems
    ]
    return InvalidInput(error.message, errors=fields)


def check_regions(wanted: Collection[str], known: Collection[str]) -> None:
    """Raise InvalidInput with a pointer for each wanted region that the account does not have."""
    problems = [
        FieldError(f"/regions/{position}", f"{region} is not a region of this account")
        for position, region in enumerate(wanted)
        if region not in known
    ]
    if problems:
        raise InvalidInput("unknown regions", errors=problems)

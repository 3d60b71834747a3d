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


@dataclass(frozen=True, slots=True)
class Health:
    """How an account is, and why it is not healthy."""

    status: str
    reason: str | None = None


def health_of(error: CloudError | None, before: str) -> Health:
    """What an answer of the cloud (None: it accepted us) says about the account whose health was `before`.

    Refused credentials are critical at once. No answer is degraded first and critical when it goes on: one lost answer
    is no outage. Throttling says nothing about the account.
    """
    if error is None:
        return Health(HEALTHY)
    if isinstance(error, clouds.AuthFailed):
        return Health(CRITICAL, f"the provider does not accept the credentials ({error.code})")
    if isinstance(error, clouds.RateLimited):
        return Health(DEGRADED if before != HEALTHY else HEALTHY, f"the provider throttles us ({error.code})")
    status = CRITICAL if error.outcome_unknown and before in {DEGRADED, CRITICAL} else DEGRADED
    return Health(status, f"{type(error).__name__} ({error.code})")


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

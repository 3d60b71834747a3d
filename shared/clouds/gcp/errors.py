"""Which word of our vocabulary is an error of Google Cloud?

Sources: "Troubleshooting API errors" of Compute Engine (cloud.google.com/compute/docs/troubleshooting/
troubleshooting-api-errors), "Resource availability errors" (ZONE_RESOURCE_POOL_EXHAUSTED), "Status and error codes for
JSON" of Cloud Storage, "Troubleshoot Cloud SQL", google.rpc.Code, and RFC 6749, 5.2 for the token endpoint. An
operation that ended badly names its errors in capitals, an answer in camel case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, TransportError
from requests.exceptions import RequestException

from shared.clouds.errors import (
    AuthFailed,
    CloudError,
    Conflict,
    FieldProblem,
    IncorrectState,
    InvalidRequest,
    NoCapacity,
    NotFound,
    PermissionDenied,
    ProviderFault,
    QuotaExceeded,
    RateLimited,
    StillWorking,
    Unreachable,
)

PROVIDER = "gcp"
_MESSAGE_CHARACTERS_MAX = 1000
_FIELD = re.compile(r"[Ii]nvalid value for field '([^']+)'")

CODES: Mapping[type[CloudError], tuple[str, ...]] = {
    AuthFailed: (
        "UNAUTHENTICATED",
        "authError",
        "expired",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
    ),
    PermissionDenied: (
        "PERMISSIONS_ERROR",
        "PERMISSION_DENIED",
        "access_denied",
        "accessNotConfigured",
        "billingNotEnabled",
        "forbidden",
        "insufficientPermissions",
        "notAuthorized",
        "invalid_scope",
    ),
    RateLimited: (
        "OPERATION_RATE_EXCEEDED",
        "RATE_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "RESOURCE_OPERATION_RATE_EXCEEDED",
        "rateLimitExceeded",
        "userRateLimitExceeded",
    ),
    NoCapacity: (
        "IP_SPACE_EXHAUSTED",
        "IP_SPACE_EXHAUSTED_WITH_DETAILS",
        "REGION_RESOURCE_POOL_EXHAUSTED",
        "RESOURCE_POOL_EXHAUSTED",
        "ZONE_RESOURCE_POOL_EXHAUSTED",
        "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
    ),
    QuotaExceeded: (
        "LIMIT_EXCEEDED",
        "QUOTA_EXCEEDED",
        "RESOURCE_QUOTA_EXCEEDED",
        "dailyLimitExceeded",
        "limitExceeded",
        "quotaExceeded",
    ),
    NotFound: ("NOT_FOUND", "RESOURCE_NOT_FOUND", "instanceDoesNotExist", "notFound"),
    StillWorking: ("operationInProgress",),
    IncorrectState: (
        "FAILED_PRECONDITION",
        "RESOURCE_NOT_READY",
        "invalidState",
        "resourceNotReady",
    ),
    Conflict: (
        "ABORTED",
        "ALREADY_EXISTS",
        "CONDITION_NOT_MET",
        "RESOURCE_ALREADY_EXISTS",
        "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
        "alreadyExists",
        "conditionNotMet",
        "conflict",
        "containerNotEmpty",
        "instanceAlreadyExists",
        "resourceInUseByAnotherResource",
    ),
    ProviderFault: (
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "INTERNAL_ERROR",
        "UNAVAILABLE",
        "UNKNOWN",
        "backendError",
        "internalError",
    ),
    InvalidRequest: (
        "INVALID_ARGUMENT",
        "INVALID_FIELD_VALUE",
        "INVALID_USAGE",
        "UNSUPPORTED_OPERATION",
        "badRequest",
        "invalid",
        "invalidParameter",
        "invalid_request",
        "parseError",
        "required",
        "unsupported_grant_type",
    ),
}
"""Every code we know, by what it means for the caller."""

FIELDS: Mapping[str, str] = {
    "bucketName": "bucket",
    "dataDiskSizeGb": "storage_gib",
    "defaultTtl": "default_ttl_s",
    "deviceName": "device_name",
    "diskSizeGb": "volume_size_gib",
    "dnsName": "zone_name",
    "fqdn": "origin",
    "instance": "machines",
    "instances": "machines",
    "ipAddress": "origin",
    "ipCidrRange": "subnets",
    "labels": "tags",
    "machineType": "instance_type",
    "masterInstanceName": "source_database_id",
    "metadata": "tags",
    "portRange": "port",
    "privateNetwork": "network_id",
    "requestPath": "health_check",
    "sessionAffinity": "session_affinity",
    "sourceImage": "image",
    "subnetwork": "subnet_id",
    "tier": "instance_type",
    "userLabels": "tags",
    "zone": "availability_zone",
}
"""The last part of the field that a message complains about, and what our configuration calls it."""

_MEANING: Mapping[str, type[CloudError]] = {code: meaning for meaning, codes in CODES.items() for code in codes}


class TokenRefused(GoogleAuthError):
    """The token endpoint answered, and with no token. Raised inside the SDK, which lets it through."""

    def __init__(self, status: int, document: Mapping[str, Any], retry_after: str | None) -> None:
        super().__init__("no access token")  # type: ignore[no-untyped-call]
        self.status = status
        self.document = document
        self.retry_after = retry_after


def from_exception(error: Exception, *, operation: str, secrets: Iterable[str] = ()) -> CloudError:
    """Our word for what the SDK, google-auth or requests raised; `secrets` are cut out of its message."""
    if isinstance(error, TokenRefused):
        return from_document(error.document, error.status, error.retry_after, operation=operation, secrets=secrets)
    if isinstance(error, GoogleAPICallError):
        return _from_answer(error, operation, secrets)
    code, message = type(error).__name__, _safe(str(error), secrets)
    if isinstance(error, (RequestException, TransportError, OSError)):
        return Unreachable(code, message, provider=PROVIDER, operation=operation)
    if isinstance(error, GoogleAuthError):
        return AuthFailed(code, message, provider=PROVIDER, operation=operation)
    return ProviderFault(code, message, provider=PROVIDER, operation=operation)


def _from_answer(error: GoogleAPICallError, operation: str, secrets: Iterable[str]) -> CloudError:
    response = error.response
    status = int(error.code or 0)
    if response is None:
        return meaning_of("", status)(
            type(error).__name__, _safe(str(error), secrets), provider=PROVIDER, operation=operation
        )
    try:
        document = response.json()
    except ValueError:
        document = {}
    retry_after = response.headers.get("retry-after")
    return from_document(document, status, retry_after, operation=operation, secrets=secrets)


def from_document(
    document: Any, status: int, retry_after: str | None, *, operation: str, secrets: Iterable[str] = ()
) -> CloudError:
    """Our word for an error body of an API (an object in `error`) or of the token endpoint (a code in `error`)."""
    error = document.get("error") if isinstance(document, Mapping) else None
    if isinstance(error, Mapping):
        listed = error.get("errors") or [{}]
        code = str(listed[0].get("reason") or error.get("status") or status)
        message = str(error.get("message") or code)
    else:
        code = str(error or status)
        message = str(document.get("error_description") or code) if isinstance(document, Mapping) else code
    meaning, safe = meaning_of(code, status), _safe(message, secrets)
    if meaning is InvalidRequest:
        return InvalidRequest(code, safe, provider=PROVIDER, operation=operation, problems=problems_of(safe))
    wish_s = _seconds(retry_after)
    return meaning(code, safe, provider=PROVIDER, operation=operation, retry_after_s=wish_s)


def from_operation(errors: Sequence[tuple[str, str]], *, operation: str) -> CloudError:
    """Our word for the (code, message) pairs in an operation that ended badly; the first one counts."""
    code, message = errors[0]
    meaning, safe = meaning_of(code, 400), _safe("; ".join(text or name for name, text in errors), ())
    if meaning is InvalidRequest:
        return InvalidRequest(code, safe, provider=PROVIDER, operation=operation, problems=problems_of(message))
    return meaning(code, safe, provider=PROVIDER, operation=operation)


def meaning_of(code: str, status: int) -> type[CloudError]:
    """The class for an error code; by the HTTP status for codes that we do not know.

    401 is always about credentials: "required" is a missing login there, and a missing field elsewhere.
    """
    if status == 401:
        return AuthFailed
    if code in _MEANING:
        return _MEANING[code]
    if status >= 500:
        return ProviderFault
    known: Mapping[int, type[CloudError]] = {
        403: PermissionDenied, 404: NotFound, 409: Conflict, 412: Conflict, 429: RateLimited
    }  # fmt: skip
    return known.get(status, InvalidRequest)


def problems_of(message: str) -> tuple[FieldProblem, ...]:
    """The field that a message complains about, as our configuration calls it; empty when it does not say."""
    found = _FIELD.search(message)
    if found is None:
        return ()
    name = re.sub(r"\[\d+\]", "", found[1]).rpartition(".")[2]
    return (FieldProblem(FIELDS.get(name, name), message),)


def _seconds(header: str | None) -> float | None:
    value = (header or "").strip()
    return float(value) if value.replace(".", "", 1).isdecimal() else None


def _safe(message: str, secrets: Iterable[str]) -> str:
    """Nobody may read a key in what an SDK quotes."""
    for secret in secrets:
        message = message.replace(secret, "***")
    return message[:_MESSAGE_CHARACTERS_MAX]

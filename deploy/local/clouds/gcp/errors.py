"""How does Google word a refusal?

Compute Engine's error body, and the OAuth one of the token endpoint (RFC 6749, 5.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.faults import DEFAULT_CODES
from deploy.local.clouds.world.provider import Answer, Refusal

OAUTH_CODES = frozenset({"invalid_grant", "invalid_scope", "unsupported_grant_type"})

# kind of refusal: HTTP status, reason, canonical status
WORDS: Mapping[str, tuple[int, str, str | None]] = {
    "unauthenticated": (401, "authError", "UNAUTHENTICATED"),
    "expired": (401, "authError", "UNAUTHENTICATED"),
    "forbidden": (403, "forbidden", "PERMISSION_DENIED"),
    "not_found": (404, "notFound", None),
    "no_route": (404, "notFound", None),
    "invalid": (400, "invalid", None),
    "conflict": (409, "alreadyExists", None),
    "wrong_state": (400, "resourceNotReady", None),
    "throttled": (403, "rateLimitExceeded", None),
    "quota": (403, "quotaExceeded", None),
    "no_capacity": (503, "ZONE_RESOURCE_POOL_EXHAUSTED", None),
    "internal": (500, "backendError", "INTERNAL"),
    "unavailable": (503, "backendError", "UNAVAILABLE"),
}

MESSAGES: Mapping[str, str] = {
    "unauthenticated": "Request had invalid authentication credentials. Expected OAuth 2 access token.",
    "expired": "Request had invalid authentication credentials. Expected OAuth 2 access token.",
    "forbidden": "Required permission for the resource is missing.",
    "throttled": "Rate Limit Exceeded",
}


def refuse(refusal: Refusal) -> Answer:
    status, reason, canonical = WORDS[refusal.kind]
    status = refusal.status or status
    headers = {} if refusal.retry_after_s is None else {"Retry-After": f"{refusal.retry_after_s:g}"}
    if refusal.code in OAUTH_CODES:
        return Answer(status, {"error": refusal.code, "error_description": refusal.message}, headers)
    if refusal.code and refusal.code not in DEFAULT_CODES.values():
        reason = refusal.code
    default = refusal.kind.replace("_", " ")
    message = MESSAGES.get(refusal.kind, refusal.message) if refusal.message == default else refusal.message
    error: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }
    if canonical is not None:
        error["status"] = canonical
    return Answer(status, {"error": error}, headers)


def not_found(path: str) -> Refusal:
    """`path` from `projects/` on."""
    return Refusal("not_found", f"The resource '{path}' was not found")


def already_exists(path: str) -> Refusal:
    return Refusal("conflict", f"The resource '{path}' already exists")


def invalid(field: str, value: object, why: str) -> Refusal:
    return Refusal("invalid", f"Invalid value for field '{field}': '{value}'. {why}", field=field)


def in_use(path: str, by: str) -> Refusal:
    message = f"The {path} resource is already being used by '{by}'"
    return Refusal("invalid", message, code="resourceInUseByAnotherResource")


def not_ready(path: str) -> Refusal:
    return Refusal("wrong_state", f"The resource '{path}' is not ready")

"""Which word of our vocabulary is an Azure error?

Sources: "Resolve common Azure deployment errors" (learn.microsoft.com/azure/azure-resource-manager/troubleshooting/
common-deployment-errors), "Common error codes" and "Allocation failures" of Microsoft.Compute, "Throttling Resource
Manager requests", and RFC 6749 5.2 for the token endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

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

PROVIDER = "azure"
_MESSAGE_CHARACTERS_MAX = 1000

CODES: Mapping[type[CloudError], tuple[str, ...]] = {
    AuthFailed: (
        "AuthenticationFailed",
        "AuthenticationFailedInvalidHeader",
        "ExpiredAuthenticationToken",
        "InvalidAuthenticationToken",
        "InvalidAuthenticationTokenAudience",
        "InvalidAuthenticationTokenTenant",
        "InvalidSubscriptionId",
        "SubscriptionNotFound",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "unauthorized_client",
    ),
    PermissionDenied: (
        "AuthorizationFailed",
        "DisallowedProvider",
        "Forbidden",
        "LinkedAuthorizationFailed",
        "MissingSubscriptionRegistration",
        "ReadOnlyDisabledSubscription",
        "RequestDisallowedByAzure",
        "RequestDisallowedByPolicy",
        "ScopeLocked",
    ),
    RateLimited: (
        "ResourceRequestsThrottled",
        "SubscriptionTooManyCreateUpdateRequests",
        "SubscriptionTooManyRequests",
        "SubscriptionRequestsThrottled",
        "TenantRequestsThrottled",
        "TooManyRequests",
        "temporarily_unavailable",
    ),
    NoCapacity: (
        "AllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "RegionDoesNotAllowProvisioning",
        "SkuNotAvailable",
        "ZonalAllocationFailed",
    ),
    QuotaExceeded: (
        "MaxStorageAccountsCountPerSubscriptionExceeded",
        "PublicIPCountLimitReached",
        "QuotaExceeded",
        "ResourceCountExceedsLimitDueToTemplate",
        "ResourceQuotaExceeded",
        "ServerDtuQuotaExceeded",
        "ServerQuotaExceeded",
    ),
    NotFound: (
        "ImageNotFound",
        "NotFound",
        "OperationNotFound",
        "ParentResourceNotFound",
        "PlatformImageNotFound",
        "ResourceGroupNotFound",
        "ResourceNotFound",
        "ServerNotFound",
        "ServerNotInSubscription",
        "ServerNotInSubscriptionResourceGroup",
        "SourceDatabaseNotFound",
        "SubscriptionDoesNotHaveServer",
    ),
    StillWorking: (
        "AnotherOperationInProgress",
        "CanceledAndSupersededDueToAnotherOperation",
        "ConflictingDatabaseOperation",
        "ConflictingServerOperation",
        "ConflictingSystemOperationInProgress",
        "OperationPreempted",
        "PreemptedByAnotherOperation",
        "PrincipalNotFound",
        "ReferencedResourceNotProvisioned",
        "ResourceGroupBeingDeleted",
        "RetryableError",
        "SkuAssignmentInProgress",
        "StorageAccountBeingCreated",
        "StorageAccountIsNotProvisioned",
        "StorageAccountOperationInProgress",
        "UpdateSloInProgress",
    ),
    IncorrectState: ("OperationNotAllowed",),
    Conflict: (
        "AttachDiskWhileBeingDetached",
        "Conflict",
        "ConflictingUserInput",
        "InUseNetworkSecurityGroupCannotBeDeleted",
        "InUseSubnetCannotBeDeleted",
        "InvalidResourceGroupLocation",
        "InvalidResourceLocation",
        "NicInUse",
        "PreconditionFailed",
        "PropertyChangeNotAllowed",
        "PublicIPAddressCannotBeDeleted",
        "PublicIPAddressInUse",
        "RemoteDatabaseExists",
        "RoleAssignmentExists",
        "RoleAssignmentUpdateNotPermitted",
        "ServerAlreadyExists",
        "StorageAccountAlreadyTaken",
        "StorageAccountInAnotherResourceGroup",
    ),
    ProviderFault: (
        "BadGateway",
        "GatewayTimeout",
        "InternalExecutionError",
        "InternalOperationError",
        "InternalServerError",
        "OperationTimedOut",
        "RequestTimeout",
        "ServerTimeout",
        "ServiceUnavailable",
    ),
    InvalidRequest: (
        "AccountNameInvalid",
        "BadRequest",
        "CannotUseReservedDatabaseName",
        "InvalidAvailabilityZone",
        "InvalidMaxSizeTierCombination",
        "InvalidParameter",
        "InvalidRequestContent",
        "InvalidRequestFormat",
        "InvalidResourceReference",
        "InvalidSkuName",
        "InvalidTagCount",
        "SubnetsHaveNoServiceEndpointsConfigured",
        "LocationNotAvailableForResourceGroup",
        "LocationNotAvailableForResourceType",
        "NetcfgInvalidSubnet",
        "NoRegisteredProviderFound",
        "ProvisioningDisabled",
        "RulesUseSameBackendPortProtocolAndPool",
        "RulesUseSameFrontendPortProtocolAndIPConfig",
        "VirtualNetworkRuleBadRequest",
        "invalid_scope",
    ),
}
"""Every code we know, by what it means for the caller."""

FIELDS: Mapping[str, str] = {
    "AccountNameInvalid": "account_name",
    "ImageNotFound": "image",
    "CannotUseReservedDatabaseName": "database_name",
    "InvalidAvailabilityZone": "availability_zone",
    "InvalidMaxSizeTierCombination": "storage_gib",
    "InvalidSkuName": "instance_type",
    "InvalidTagCount": "tags",
    "NetcfgInvalidSubnet": "subnets",
    "PlatformImageNotFound": "image",
    "RulesUseSameBackendPortProtocolAndPool": "listeners",
    "RulesUseSameFrontendPortProtocolAndIPConfig": "listeners",
    "SourceDatabaseNotFound": "source_database_id",
    "SubnetsHaveNoServiceEndpointsConfigured": "subnet_ids",
    "VirtualNetworkRuleBadRequest": "subnet_id",
}
"""The field of our configuration that a code complains about."""

TARGETS: Mapping[str, str] = {
    "disksizegb": "volume_size_gib",
    "imagereference": "image",
    "networksecuritygroup": "security_groups",
    "subnet": "subnet_id",
    "virtualnetworksubnetid": "subnet_id",
    "vmsize": "instance_type",
    "zones": "availability_zone",
}
"""The field of our configuration that an answer's `target` (its last part, in lower case) names."""

_MEANING: Mapping[str, type[CloudError]] = {code: meaning for meaning, codes in CODES.items() for code in codes}

_ENDINGS: tuple[tuple[str, type[CloudError]], ...] = (
    ("NotFound", NotFound),
    ("LimitReached", QuotaExceeded),
    ("QuotaExceeded", QuotaExceeded),
    ("CannotBeDeleted", Conflict),
    ("Throttled", RateLimited),
)


def from_exception(error: Exception, *, operation: str, secrets: Iterable[str] = ()) -> CloudError:
    """Our word for what an SDK raised; `secrets` are cut out of its message."""
    known = tuple(secrets)
    if isinstance(error, HttpResponseError) and not isinstance(error, DecodeError):
        response = error.response
        document = _document(response)
        return from_answer(
            error.status_code or 0, document, _headers(response), operation=operation, secrets=known,
            otherwise=str(error.message),
        )  # fmt: skip
    code, message = type(error).__name__, _safe(str(error), known)
    if isinstance(error, (ServiceRequestError, ServiceResponseError, IncompleteReadError)):
        return Unreachable(code, message, provider=PROVIDER, operation=operation)
    if isinstance(error, AzureError):
        return ProviderFault(code, message, provider=PROVIDER, operation=operation)
    return ProviderFault("unreadable_answer", message, provider=PROVIDER, operation=operation)


def from_answer(
    status: int,
    document: Any,
    headers: Mapping[str, str],
    *,
    operation: str,
    secrets: Iterable[str] = (),
    otherwise: str = "",
) -> CloudError:
    """Our word for an error body of Resource Manager (`{"error": {"code", "message"}}`) or of Entra (RFC 6749)."""
    error = document.get("error") if isinstance(document, Mapping) else None
    if isinstance(error, str):
        error = {"code": error, "message": document.get("error_description")}
    facts: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code = str(facts.get("code") or status or "Unknown")
    message = str(facts.get("message") or otherwise or code)
    meaning, shown = meaning_of(code, status, message), _safe(message, tuple(secrets))
    if issubclass(meaning, InvalidRequest):
        problems = problems_of(code, str(facts.get("target") or ""), shown)
        return meaning(code, shown, provider=PROVIDER, operation=operation, problems=problems)
    return meaning(code, shown, provider=PROVIDER, operation=operation, retry_after_s=_retry_after_s(headers))


def meaning_of(code: str, status: int, message: str = "") -> type[CloudError]:
    """The class for an error code; by its ending, then by the HTTP status, for codes that we do not know.

    `OperationNotAllowed` is said both of a quota that is used up and of a state that forbids; only the words differ.
    """
    if code == "OperationNotAllowed" and "quota" in message.lower():
        return QuotaExceeded
    if status == 429:
        return RateLimited
    if code in _MEANING:
        return _MEANING[code]
    for ending, meaning in _ENDINGS:
        if code.endswith(ending):
            return meaning
    if status >= 500:
        return ProviderFault
    return {
        401: AuthFailed, 403: PermissionDenied, 404: NotFound, 408: ProviderFault, 409: Conflict, 412: Conflict,
    }.get(status, InvalidRequest)  # fmt: skip


def problems_of(code: str, target: str, message: str) -> tuple[FieldProblem, ...]:
    """The field that the answer complains about, as our configuration calls it; empty when it does not say."""
    field = FIELDS.get(code) or TARGETS.get(target.rpartition(".")[2].lower())
    return () if field is None else (FieldProblem(field, message),)


def _document(response: Any) -> Any:
    """The JSON body of an answer; None when it has none or another one (a proxy's HTML page)."""
    try:
        return response.json()
    except (AttributeError, ValueError, AzureError):
        return None


def _headers(response: Any) -> Mapping[str, str]:
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    return headers


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Azure sends seconds."""
    value = str(headers.get("Retry-After") or headers.get("retry-after") or "").strip()
    return float(value) if value.replace(".", "", 1).isdecimal() else None


def _safe(message: str, secrets: Iterable[str]) -> str:
    """Entra quotes the client and the tenant, Resource Manager the subscription; nobody may read a credential."""
    for secret in secrets:
        message = message.replace(secret, "***")
    return message[:_MESSAGE_CHARACTERS_MAX]

"""Which word of our vocabulary is an AWS error?

Sources: "Error codes for the Amazon EC2 API" (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html), the
common errors of STS and CloudWatch, "Error responses" of the S3 API, the errors that the service models name for each
operation of RDS, Elastic Load Balancing, Route 53 and CloudFront (botocore/data), and botocore's list of throttling
codes (botocore/retries/standard.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    InvalidRegionError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError

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

PROVIDER = "aws"
_MESSAGE_CHARACTERS_MAX = 1000

CODES: Mapping[type[CloudError], tuple[str, ...]] = {
    AuthFailed: (
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotSignedUp",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    PermissionDenied: (
        "AccessDenied",
        "AccessDeniedException",
        "Blocked",
        "OptInRequired",
        "PendingVerification",
        "UnauthorizedOperation",
    ),
    RateLimited: (
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "SnapshotCreationPerVolumeRateExceeded",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ),
    NoCapacity: (
        "InsufficientAddressCapacity",
        "InsufficientCapacity",
        "InsufficientCapacityOnHost",
        "InsufficientDBInstanceCapacity",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InsufficientReservedInstanceCapacity",
        "InsufficientVolumeCapacity",
    ),
    QuotaExceeded: (
        "AddressLimitExceeded",
        "ConcurrentSnapshotLimitExceeded",
        "DBSubnetGroupQuotaExceeded",
        "InstanceLimitExceeded",
        "InstanceQuotaExceeded",
        "LimitExceeded",
        "MaxIOPSLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "PendingSnapshotLimitExceeded",
        "ResourceCountExceeded",
        "ResourceLimitExceeded",
        "SecurityGroupLimitExceeded",
        "SnapshotLimitExceeded",
        "StorageQuotaExceeded",
        "TooManyBuckets",
        "TooManyDistributionCNAMEs",
        "TooManyDistributions",
        "TooManyHostedZones",
        "TooManyListeners",
        "TooManyLoadBalancers",
        "TooManyOriginAccessControls",
        "TooManyRegistrationsForTargetId",
        "TooManyTargetGroups",
        "VcpuLimitExceeded",
        "VolumeLimitExceeded",
        "VpcLimitExceeded",
    ),
    NotFound: (
        "CertificateNotFound",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "DBSubnetGroupNotFoundFault",
        "DefaultVpcDoesNotExist",
        "InvalidAMIID.NotFound",
        "InvalidAMIID.Unavailable",
        "InvalidGroup.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidSnapshot.NotFound",
        "InvalidSubnetID.NotFound",
        "InvalidVolume.NotFound",
        "InvalidVpcID.NotFound",
        "InvalidZone.NotFound",
        "ListenerNotFound",
        "LoadBalancerNotFound",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchDistribution",
        "NoSuchHostedZone",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchResource",
        "NoSuchResourceException",
        "NoSuchTagSet",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "SubnetNotFound",
        "TargetGroupNotFound",
        "VPCIdNotSpecified",
    ),
    IncorrectState: (
        "DistributionNotDisabled",
        "IncorrectInstanceState",
        "IncorrectState",
        "InvalidDBInstanceState",
        "InvalidDBInstanceStateFault",
        "InvalidState",
        "OperationNotPermitted",
        "UnsupportedHibernationConfiguration",
    ),
    Conflict: (
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketNotEmpty",
        "CNAMEAlreadyExists",
        "ConflictingDomainExists",
        "DBInstanceAlreadyExists",
        "DBSubnetGroupAlreadyExists",
        "DependencyViolation",
        "DistributionAlreadyExists",
        "DuplicateListener",
        "DuplicateLoadBalancerName",
        "DuplicateTargetGroupName",
        "HostedZoneAlreadyExists",
        "HostedZoneNotEmpty",
        "IdempotentInstanceTerminated",
        "IdempotentParameterMismatch",
        "InvalidAMIName.Duplicate",
        "InvalidDBSubnetGroupStateFault",
        "InvalidGroup.Duplicate",
        "InvalidGroup.InUse",
        "InvalidSnapshot.InUse",
        "InvalidSubnet.Conflict",
        "OriginAccessControlAlreadyExists",
        "ResourceInUse",
        "VolumeInUse",
    ),
    StillWorking: (
        "InvalidIfMatchVersion",
        "OperationAborted",
        "PreconditionFailed",
    ),
    ProviderFault: (
        "InternalError",
        "InternalFailure",
        "InternalServiceError",
        "InternalServiceFault",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
    ),
    InvalidRequest: (
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        "IllegalUpdate",
        "InvalidAMIID.Malformed",
        "InvalidArgument",
        "InvalidBlockDeviceMapping",
        "InvalidBucketName",
        "InvalidChangeBatch",
        "InvalidConfigurationRequest",
        "InvalidDefaultRootObject",
        "InvalidDomainName",
        "InvalidGroupId.Malformed",
        "InvalidInput",
        "InvalidInstanceAttributeValue",
        "InvalidInstanceID.Malformed",
        "InvalidInstanceType",
        "InvalidInstanceType.NotFound",
        "InvalidOrigin",
        "InvalidParameter",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidScheme",
        "InvalidSecurityGroup",
        "InvalidSubnet",
        "InvalidSubnet.Range",
        "InvalidTarget",
        "InvalidVPCId",
        "InvalidVPCNetworkStateFault",
        "InvalidViewerCertificate",
        "InvalidVolume.ZoneMismatch",
        "InvalidVpc.Range",
        "KMSKeyNotAccessibleFault",
        "MalformedPolicy",
        "MissingParameter",
        "StorageTypeNotSupported",
        "TagLimitExceeded",
        "TooManyTags",
        "TooManyTargets",
        "Unsupported",
        "UnsupportedOperation",
        "ValidationError",
    ),
}
"""Every code we know, by what it means for the caller."""

FIELDS: Mapping[str, str] = {
    "CertificateNotFound": "certificate",
    "DBSubnetGroupDoesNotCoverEnoughAZs": "network_id",
    "InvalidAMIID.Malformed": "image",
    "InvalidAMIID.NotFound": "image",
    "InvalidAMIID.Unavailable": "image",
    "InvalidBucketName": "name",
    "InvalidChangeBatch": "records",
    "InvalidDefaultRootObject": "default_root_object",
    "InvalidDomainName": "name",
    "InvalidGroup.NotFound": "security_groups",
    "InvalidGroupId.Malformed": "security_groups",
    "InvalidInstanceType": "instance_type",
    "InvalidInstanceType.NotFound": "instance_type",
    "InvalidOrigin": "origin",
    "InvalidScheme": "scheme",
    "InvalidSubnetID.Malformed": "subnet_id",
    "InvalidSubnetID.NotFound": "subnet_id",
    "InvalidTarget": "targets",
    "InvalidVPCId": "network_id",
    "InvalidViewerCertificate": "certificate",
    "InvalidVpc.Range": "cidr_block",
    "InvalidZone.NotFound": "availability_zone",
    "TagLimitExceeded": "tags",
    "TooManyTags": "tags",
    "TooManyTargets": "targets",
}
"""The field of our configuration that a code complains about."""

_WORDS: Mapping[str, str] = {
    "instance type": "instance_type",
    "db instance class": "instance_type",
    "storage size": "storage_gib",
}
"""What a message says of a field, where the code is the same for all."""

_MEANING: Mapping[str, type[CloudError]] = {code: meaning for meaning, codes in CODES.items() for code in codes}

_ENDINGS: tuple[tuple[str, type[CloudError]], ...] = (
    (".NotFound", NotFound),
    (".Malformed", InvalidRequest),
    (".Duplicate", Conflict),
    (".InUse", Conflict),
    ("LimitExceeded", QuotaExceeded),
)


def from_exception(
    error: BotoCoreError | ClientError | ResponseParserError, *, operation: str, secrets: Iterable[str] = ()
) -> CloudError:
    """Our word for what botocore raised; `secrets` are cut out of its message."""
    if isinstance(error, ClientError):
        return _from_answer(error, operation, secrets)
    code, message = type(error).__name__, _safe(str(error), secrets)
    if isinstance(error, (HTTPClientError, NoConnection)):
        return Unreachable(code, message, provider=PROVIDER, operation=operation)
    if isinstance(error, ParamValidationError):
        return InvalidRequest(code, message, provider=PROVIDER, operation=operation)
    if isinstance(error, InvalidRegionError):
        problem = FieldProblem("region", "is not a region name")
        return InvalidRequest(code, message, provider=PROVIDER, operation=operation, problems=(problem,))
    return ProviderFault(code, message, provider=PROVIDER, operation=operation)


def _from_answer(error: ClientError, operation: str, secrets: Iterable[str]) -> CloudError:
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code") or "Unknown")
    message = _safe(str(answer.get("Error", {}).get("Message") or code), secrets)
    metadata: Mapping[str, Any] = answer.get("ResponseMetadata", {})
    meaning = meaning_of(code, int(metadata.get("HTTPStatusCode") or 0))
    retry_after_s = _retry_after_s(metadata.get("HTTPHeaders", {}))
    if meaning is InvalidRequest:
        return InvalidRequest(
            code, message, provider=PROVIDER, operation=operation, problems=problems_of(code, message)
        )
    return meaning(code, message, provider=PROVIDER, operation=operation, retry_after_s=retry_after_s)


def from_state_reason(reason: Mapping[str, Any], *, operation: str) -> CloudError | None:
    """Our word for why an instance that was accepted ended; None when it was no error, as when somebody stopped it.

    Its codes are errors' codes after `Server.` or `Client.`: `Server.InsufficientInstanceCapacity`,
    `Client.VolumeLimitExceeded` (StateReason in docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html).
    """
    code = str(reason.get("Code") or "").partition(".")[2]
    meaning = _MEANING.get(code)
    if meaning is None:
        return None
    return meaning(code, _safe(str(reason.get("Message") or code), ()), provider=PROVIDER, operation=operation)


def meaning_of(code: str, status: int) -> type[CloudError]:
    """The class for an error code; by its ending, then by the HTTP status, for codes that we do not know."""
    if code in _MEANING:
        return _MEANING[code]
    for ending, meaning in _ENDINGS:
        if code.endswith(ending):
            return meaning
    if status >= 500:
        return ProviderFault
    # CloudWatch's JSON protocol shows a refused signature as nothing but the status.
    return {401: AuthFailed, 403: AuthFailed, 404: NotFound, 409: Conflict, 429: RateLimited}.get(
        status, InvalidRequest
    )


def problems_of(code: str, message: str) -> tuple[FieldProblem, ...]:
    """The field that the answer complains about, as our configuration calls it; empty when it does not say."""
    field = FIELDS.get(code) or next((named for words, named in _WORDS.items() if words in message.lower()), None)
    return () if field is None else (FieldProblem(field, message),)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """AWS rarely sends Retry-After, and then in seconds."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.replace(".", "", 1).isdecimal() else None


def _safe(message: str, secrets: Iterable[str]) -> str:
    """SignatureDoesNotMatch and DNS errors quote what we sent; nobody may read a key there."""
    for secret in secrets:
        message = message.replace(secret, "***")
    return message[:_MESSAGE_CHARACTERS_MAX]

"""Was this request signed with the secret of a known access key, just now?

moto can check signatures itself, but only by way of IAM users made in one account, and it then answers CloudWatch in
the wrong format. The signature is therefore checked here, with the very functions botocore signs with, and moto is told
the account by its own `x-moto-account-id` header. What a key may do is asked in permissions.py.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy.local.clouds.aws.calls import SCOPE, Call, Request, protocol_of, read_action
from deploy.local.clouds.aws.errors import Refusal

SKEW_LIMIT_S = 15 * 60
STAMP = "%Y%m%dT%H%M%SZ"
SIGNED = re.compile(r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$")


@dataclass(frozen=True)
class Credential:
    account_id: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    may_write: bool = True
    is_over: bool = False
    """A session whose time is over."""


FindCredential = Callable[[str], Credential | None]


def _unknown_key(protocol: str) -> Refusal:
    if protocol == "ec2":
        return Refusal("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if protocol == "rest-xml":
        return Refusal("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    return Refusal("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def _wrong_signature(protocol: str) -> Refusal:
    if protocol == "ec2":
        return Refusal("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    return Refusal(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method.",
        403,
    )


def _expired(protocol: str, stamp: str) -> Refusal:
    if protocol == "ec2":
        return Refusal("RequestExpired", "Request has expired.", 400)
    if protocol == "rest-xml":
        return Refusal(
            "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403
        )
    return Refusal("SignatureDoesNotMatch", f"Signature expired: {stamp} is not within 15 minutes of now.", 403)


def _session_over(protocol: str) -> Refusal:
    if protocol == "ec2":
        return Refusal("RequestExpired", "Request has expired.", 400)
    return Refusal("ExpiredToken", "The security token included in the request is expired", 403)


def _unsigned(protocol: str) -> Refusal:
    if protocol == "ec2":
        return Refusal("MissingParameter", "The request must contain the parameter AWSAccessKeyId", 400)
    if protocol == "rest-xml":
        return Refusal("AccessDenied", "Access Denied", 403)
    return Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", 403)


def _expected_signature(request: Request, credential: Credential, scope: tuple[str, str], names: list[str]) -> str:
    region, service = scope
    headers = {name: request.headers.get(name, "") for name in names}
    signed = AWSRequest(
        request.method, f"http://{request.headers.get('host', '')}{request.target}", headers, request.body
    )
    signed.context["timestamp"] = request.headers["x-amz-date"]
    secret = Credentials(credential.access_key_id, credential.secret_access_key)
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(secret, service, region)
    return str(signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed))


def _body_is_as_signed(request: Request) -> bool:
    claimed = request.headers.get("x-amz-content-sha256")
    if claimed is None or claimed == "UNSIGNED-PAYLOAD" or claimed.startswith("STREAMING-"):
        return True
    return hmac.compare_digest(claimed, hashlib.sha256(request.body).hexdigest())


def _is_fresh(stamp: str, now_s: float) -> bool:
    try:
        signed_at = dt.datetime.strptime(stamp, STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return abs(signed_at.timestamp() - now_s) <= SKEW_LIMIT_S


def claimed_protocol(request: Request) -> str:
    """The protocol a refused request seems to speak; an unsigned one says so only by its version, if at all."""
    scope = SCOPE.search(request.headers.get("authorization", ""))
    service = scope[4] if scope else ("ec2" if b"Version=2016-11-15" in request.body else "sts")
    return protocol_of(service, request.headers)


def authenticate(request: Request, find: FindCredential, now_s: float) -> Call:
    """The call of a request whose signature is right; raises Refusal as the real service does when it is not.

    Pre-signed and unsigned requests are refused. Source: AWS General Reference, "Signing AWS API requests".
    """
    authorization = request.headers.get("authorization", "")
    scope, signed = SCOPE.search(authorization), SIGNED.search(authorization)
    if scope is None or signed is None or "x-amz-date" not in request.headers:
        raise _unsigned(claimed_protocol(request))
    access_key_id, day, region, service = scope.groups()
    protocol = protocol_of(service, request.headers)
    stamp = request.headers["x-amz-date"]
    credential = find(access_key_id)
    if credential is None or credential.session_token != request.headers.get("x-amz-security-token"):
        raise _unknown_key(protocol)
    if credential.is_over:
        raise _session_over(protocol)
    names = signed[1].split(";")
    if "host" not in names or "x-amz-date" not in names or not stamp.startswith(day):
        raise _wrong_signature(protocol)
    expected = _expected_signature(request, credential, (region, service), names)
    if not hmac.compare_digest(expected, signed[2]) or not _body_is_as_signed(request):
        raise _wrong_signature(protocol)
    if not _is_fresh(stamp, now_s):
        raise _expired(protocol, stamp)
    try:
        action, parameters = read_action(request, protocol, service)
    except (ValueError, KeyError) as error:
        raise Refusal("SerializationException", f"The request cannot be read: {error}", 400) from error
    return Call(credential.account_id, access_key_id, region, service, action, protocol, parameters, body=request.body)

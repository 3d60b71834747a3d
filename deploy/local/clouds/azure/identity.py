"""Who is it, and for how long? Entra's tokens: signed by the client's own secret, so that nothing needs to be kept.

An application proves itself by its secret, by an assertion under a certificate that it was given, or by a token of an
issuer that it trusts: `POST /_sim/trust` with `client_id` and `certificate` (PEM), or `issuer`, `subject`, `audience`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from deploy.local.clouds.issuers import Issuers, NotTrusted, audiences_of
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.provider import Answer, Call, HttpRequest, Refusal

TOKEN_PATH = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
TOKEN_LIFE_S = 3599
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SUBSCRIPTION = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0"


def new_accounts() -> list[Account]:
    """The first one's client is `test-key` with `test-secret`; the read-only and the expired one share what it sees."""
    first = _account(SUBSCRIPTION, "test-key", "test-secret", note="demonstration organization")
    second = _account(str(uuid.uuid4()), note="second account, no provider registered")
    reader = _account(SUBSCRIPTION, note="may read only", scope="read")
    expired = _account(SUBSCRIPTION, note="expired", expires_s=0.0)
    return [first, second, reader, expired]


def _account(subscription: str, client_id: str = "", client_secret: str = "", **more: Any) -> Account:
    credentials = {
        "tenant_id": TENANT,
        "client_id": client_id or str(uuid.uuid4()),
        "client_secret": client_secret or secrets.token_urlsafe(30),
        "subscription_id": subscription,
    }
    return Account("azure", subscription, credentials, **more)


def authenticate(
    request: HttpRequest,
    accounts: Sequence[Account],
    now_s: float,
    trusted: Sequence[Mapping[str, Any]],
    issuers: Issuers,
) -> Account:
    """By its own proof at the token endpoint, by bearer token everywhere else; the path's subscription must be its."""
    asked = TOKEN_PATH.fullmatch(request.path)
    if asked is not None:
        known, form = _application(asked.group(1), request, accounts)
        if "client_assertion" in form:
            _check_assertion(form, trusted, issuers)
        else:
            _check_secret(form, known, now_s)
        return known
    account = _by_token(request.headers.get("authorization", ""), accounts, now_s)
    parts = request.path.split("/")
    if len(parts) > 2 and parts[1] == "subscriptions" and parts[2] and parts[2] != account.account_id:
        raise Refusal(
            "not_found", f"The subscription '{parts[2]}' could not be found.", code="SubscriptionNotFound"
        )  # fmt: skip
    if "api-version" not in request.query:
        raise Refusal(
            "invalid", "The api-version query parameter (?api-version=) is required.", code="MissingApiVersionParameter"
        )
    return account


def issue(call: Call) -> Answer:
    """A token of about an hour, as Entra answers the client credentials grant."""
    form = _form(call.http)
    if form.get("grant_type") != "client_credentials" or not form.get("scope", "").endswith("/.default"):
        raise Refusal("invalid", "The request body must contain a scope of '…/.default'.", code="AADSTS1002012")
    now_s = int(call.now_s)
    claims = {
        "aud": form["scope"].removesuffix("/.default"),
        "iss": f"https://sts.windows.net/{TENANT}/",
        "appid": call.account.credentials["client_id"],
        "tid": TENANT,
        "iat": now_s,
        "exp": now_s + TOKEN_LIFE_S,
    }
    body = {"token_type": "Bearer", "expires_in": TOKEN_LIFE_S, "ext_expires_in": TOKEN_LIFE_S}
    return Answer(200, body | {"access_token": _signed(claims, call.account)}, {"cache-control": "no-store"})


def is_entra(code: str) -> bool:
    """Whether a refusal is the token endpoint's, whose bodies are not Resource Manager's."""
    return code.startswith("AADSTS")


def refuse(refusal: Refusal) -> Answer:
    """Entra's error body (RFC 6749 5.2)."""
    unknown_client = refusal.kind in {"unauthenticated", "expired"}
    body = {
        "error": "invalid_client" if unknown_client else "invalid_request",
        "error_description": f"{refusal.code}: {refusal.message} Trace ID: {uuid.uuid4()}",
        "error_codes": [int(refusal.code.removeprefix("AADSTS"))],
    }
    return Answer(refusal.status or (401 if unknown_client else 400), body)


def _application(tenant: str, request: HttpRequest, accounts: Sequence[Account]) -> tuple[Account, dict[str, str]]:
    form = _form(request)
    if tenant != TENANT:
        raise Refusal("invalid", f"Tenant '{tenant}' not found.", code="AADSTS90002")
    client_id = form.get("client_id", "")
    known = next((each for each in accounts if each.credentials["client_id"] == client_id), None)
    if known is None:
        message = f"Application with identifier '{client_id}' was not found in the directory."
        raise Refusal("unauthenticated", message, code="AADSTS700016", status=400)
    return known, form


def _check_secret(form: Mapping[str, str], known: Account, now_s: float) -> None:
    if not hmac.compare_digest(form.get("client_secret", "").encode(), known.credentials["client_secret"].encode()):
        raise Refusal("unauthenticated", "Invalid client secret provided.", code="AADSTS7000215")
    if known.is_expired(now_s):
        raise Refusal("expired", "The provided client secret keys are expired.", code="AADSTS7000222")


def _check_assertion(form: Mapping[str, str], trusted: Sequence[Mapping[str, Any]], issuers: Issuers) -> None:
    """An assertion that the application signed itself, or a token of somebody else's that it trusts."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refusal("invalid", "The client assertion type is not supported.", code="AADSTS50027")
    mine = [each for each in trusted if each.get("client_id") == form["client_id"]]
    assertion = form["client_assertion"]
    if any(_is_signed(assertion, each, form["client_id"]) for each in mine if "certificate" in each):
        return
    try:
        claims = issuers.claims_of(assertion)
    except NotTrusted as error:
        raise Refusal(
            "unauthenticated", f"Client assertion failed signature validation. {error}", code="AADSTS700027"
        ) from error
    for each in mine:
        named = (each.get("issuer"), each.get("subject"))
        if named == (claims["iss"], claims["sub"]) and each.get("audience") in audiences_of(claims):
            return
    message = f"No matching federated identity record found for presented assertion subject '{claims['sub']}'."
    raise Refusal("unauthenticated", message, code="AADSTS700213")


def _is_signed(assertion: str, trust: Mapping[str, Any], client_id: str) -> bool:
    certificate = load_pem_x509_certificate(str(trust["certificate"]).encode())
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(
            assertion, certificate.public_key(), algorithms=["PS256"],  # type: ignore[arg-type]
            audience=f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
        )  # fmt: skip
    except jwt.PyJWTError:
        return False
    thumbprint = _encoded(certificate.fingerprint(SHA256()))
    return bool(header.get("x5t#S256") == thumbprint and claims.get("iss") == claims.get("sub") == client_id)


def _by_token(header: str, accounts: Sequence[Account], now_s: float) -> Account:
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or token.count(".") != 2:
        raise Refusal(
            "unauthenticated", "Authentication failed. The 'Authorization' header is missing.",
            code="AuthenticationFailed" if not header else "InvalidAuthenticationToken",
        )  # fmt: skip
    try:
        claims = json.loads(_decoded(token.split(".")[1]))
    except ValueError:
        raise Refusal("unauthenticated", "The access token is invalid.", code="InvalidAuthenticationToken") from None
    known = next((each for each in accounts if each.credentials["client_id"] == claims.get("appid")), None)
    if known is None or not hmac.compare_digest(token, _signed(claims, known)):
        raise Refusal("unauthenticated", "The access token is invalid.", code="InvalidAuthenticationToken")
    if known.is_expired(now_s) or now_s >= claims["exp"]:
        raise Refusal("expired", "The access token expiry UTC time is earlier than now.")
    return known


def _form(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}


def _signed(claims: dict[str, Any], account: Account) -> str:
    head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    text = f"{head}.{_encoded(json.dumps(claims).encode())}"
    secret = account.credentials["client_secret"].encode()
    return f"{text}.{_encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""Who asks? A service account's signed assertion gets an access token, and the token is shown with every call.

A token carries its account and its end, sealed with a key made of the account's: nothing is kept, so tokens outlive a
restart as they do at Google.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from deploy.local.clouds.gcp.accounts import key_of, public_key_of
from deploy.local.clouds.issuers import Issuers, NotTrusted, audiences_of
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.provider import Answer, Call, HttpRequest, Refusal

TOKEN_PATH = "/token"
EXCHANGE_PATH = "/v1/token"
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
IMPERSONATION_PATH = "/v1/projects/-/serviceAccounts/"
TOKEN_SECONDS = 3600
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
_OURS = "ya29"  # how Google's own access tokens begin
SKEW_S = 300  # how far a signer's clock may be off


def account_of_assertion(request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
    """The account whose key signed the request's assertion. Raises Refusal as OAuth has it: `invalid_grant`…"""
    form = parse_qs(request.body.decode())
    if form.get("grant_type") != [GRANT]:
        raise Refusal("invalid", "Invalid grant_type", code="unsupported_grant_type")
    account, claims = _signed(form.get("assertion", [""])[0], accounts)
    if claims.get("aud") not in {AUDIENCE, request.base_url + TOKEN_PATH}:
        raise _no_grant("Invalid JWT: Failed audience check.")
    if not _in_time(claims, now_s):
        raise _no_grant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
    if not claims.get("scope"):
        raise Refusal("invalid", "Empty or missing scope not allowed.", code="invalid_scope")
    if account.is_expired(now_s):
        raise _no_grant("Invalid JWT Signature.")  # what Google says of a key that has ended
    return account


def _signed(text: str, accounts: Sequence[Account]) -> tuple[Account, dict[str, Any]]:
    """Whose key signed a JSON Web Token, and what it says. Raises Refusal `invalid_grant`."""
    header, claims, signature, signed = _taken_apart(text)
    if header.get("alg") != "RS256":
        raise _no_grant("Invalid JWT: alg must be RS256.")
    account = next((each for each in accounts if key_of(each)["client_email"] == claims.get("iss")), None)
    if account is None:
        raise _no_grant("Invalid grant: account not found")
    try:
        public_key_of(account).verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise _no_grant("Invalid JWT Signature.") from error
    return account, claims


def _account_of_own_token(token: str, accounts: Sequence[Account], now_s: float) -> Account:
    """Google takes a token that a service account signed itself, for an API or with a scope: the SDK's default way."""
    try:
        account, claims = _signed(token, accounts)
    except Refusal as refusal:
        raise Refusal("unauthenticated") from refusal
    if not _in_time(claims, now_s) or account.is_expired(now_s):
        raise Refusal("expired")
    if not (claims.get("scope") or str(claims.get("aud", "")).startswith("https://")):
        raise Refusal("unauthenticated")
    return account


def _in_time(claims: dict[str, Any], now_s: float) -> bool:
    issued_s, ends_s = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_s, int) or not isinstance(ends_s, int):
        return False
    return issued_s - SKEW_S <= now_s <= ends_s + SKEW_S and ends_s - issued_s <= TOKEN_SECONDS


def issue(call: Call, now_s: float) -> Answer:
    """`now_s` is wall time: a client counts its token's hour by its own clock."""
    email = key_of(call.account)["client_email"]
    claims = base64.urlsafe_b64encode(json.dumps([email, int(now_s) + TOKEN_SECONDS]).encode()).decode()
    token = f"{_OURS}.{claims}.{_seal(call.account, claims)}"
    return Answer(200, {"access_token": token, "expires_in": TOKEN_SECONDS - 1, "token_type": "Bearer"})


def account_of_token(request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
    """The account that a call's bearer token was issued to. Raises Refusal `unauthenticated`, `expired`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        raise Refusal("unauthenticated")
    if parts[0] != _OURS:
        return _account_of_own_token(token, accounts, now_s)
    try:
        email, ends_s = json.loads(base64.urlsafe_b64decode(parts[1]))
    except ValueError as error:
        raise Refusal("unauthenticated") from error
    account = next((each for each in accounts if key_of(each)["client_email"] == email), None)
    if account is None or not hmac.compare_digest(parts[2], _seal(account, parts[1])):
        raise Refusal("unauthenticated")
    if now_s >= ends_s or account.is_expired(now_s):
        raise Refusal("expired")
    return account


def account_of_exchange(
    request: HttpRequest, accounts: Sequence[Account], trusted: Sequence[Mapping[str, Any]], issuers: Issuers
) -> Account:
    """The account that a pool's principal works as: `POST /_sim/trust` with `audience` (the pool's provider), `issuer`,
    `subject`, `client_email`. Raises Refusal as Google's token exchange has it.
    """
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    if form.get("grant_type") != EXCHANGE_GRANT or form.get("subject_token_type") != JWT_TYPE:
        raise Refusal("invalid", "Invalid grant_type", code="unsupported_grant_type")
    try:
        claims = issuers.claims_of(form.get("subject_token", ""))
    except NotTrusted as error:
        raise _no_grant(f"The subject token is not accepted: {error}") from error
    for each in trusted:
        named = (each.get("audience"), each.get("issuer"), each.get("subject"))
        is_meant = f"https:{form.get('audience')}" in audiences_of(claims)
        if named == (form.get("audience"), claims["iss"], claims["sub"]) and is_meant:
            return _account_called(str(each["client_email"]), accounts)
    raise _no_grant("The given credential is rejected by the attribute condition.")


def impersonated(
    request: HttpRequest, source: Account, accounts: Sequence[Account], trusted: Sequence[Mapping[str, Any]]
) -> Account:
    """The service account that the caller may become: `POST /_sim/trust` with `client_email` and `may_become`."""
    email = unquote(request.path).rpartition("/")[2].partition(":")[0]
    caller = key_of(source)["client_email"]
    if not any(each.get("client_email") == caller and email in each.get("may_become", ()) for each in trusted):
        message = f"Permission 'iam.serviceAccounts.getAccessToken' denied on resource {email} (or it may not exist)."
        raise Refusal("forbidden", message)
    return _account_called(email, accounts)


def issue_impersonated(call: Call, now_s: float) -> Answer:
    """A token of the account that was become, as IAM Credentials answers it."""
    token = issue(call, now_s).document["access_token"]
    ends = datetime.fromtimestamp(int(now_s) + TOKEN_SECONDS, UTC)
    return Answer(200, {"accessToken": token, "expireTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})


def _account_called(email: str, accounts: Sequence[Account]) -> Account:
    found = next((each for each in accounts if key_of(each)["client_email"] == email), None)
    if found is None:
        raise Refusal("not_found", f"Unknown service account {email}")
    return found


def _seal(account: Account, claims: str) -> str:
    secret = key_of(account)["private_key"].encode()
    return hmac.new(hashlib.sha256(secret).digest(), claims.encode(), hashlib.sha256).hexdigest()


def _taken_apart(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = assertion.split(".")
    try:
        header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
        return json.loads(header), json.loads(claims), signature, ".".join(parts[:2]).encode()
    except ValueError as error:
        raise _no_grant("Invalid JWT: not a JSON Web Token.") from error


def _no_grant(message: str) -> Refusal:
    return Refusal("invalid", message, code="invalid_grant")

"""Whose token is this, when another OpenID Connect issuer made it? Verified with its keys, which others fetch."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from services.gateway.domain.tokens import required_claims
from shared.kit.errors import Unauthenticated
from shared.kit.ids import derived_id
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import Role, RoleMatrix

ALGORITHMS = ("RS256", "ES256")
ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"})
LEEWAY_S = 30
"""Clocks of other companies; our own tokens have none."""
_KEY_TYPES = frozenset({"RSA", "EC", "OKP"})


class UnknownKey(Unauthenticated):
    """The token names a key that the set at hand has not: fetch the issuer's keys once and try again."""

    code = "invalid_token"


@dataclass(frozen=True, slots=True)
class ExternalIssuer:
    """An issuer that one organization trusts for its own users. Raises ValueError for a shared-secret algorithm.

    The organization comes from here and never from a claim: an issuer cannot speak for somebody else's organization.
    `roles` maps values of the claim `role_claim` to roles; of several the first one listed wins.
    """

    organization: UUID
    organization_slug: str
    name: str
    audience: str
    roles: Mapping[str, Role]
    role_claim: str = "roles"
    algorithms: Sequence[str] = ALGORITHMS

    def __post_init__(self) -> None:
        # With an HMAC algorithm allowed, the public key would be a password that everybody knows.
        if not self.algorithms or not ASYMMETRIC.issuperset(self.algorithms):
            raise ValueError("An external issuer signs with an asymmetric algorithm")


def issuer_of(text: str) -> str:
    """The unverified `iss` of a token, only to choose who verifies it. Raises Unauthenticated (`invalid_token`)."""
    try:
        payload = text.split(".")[1]
        issuer = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        raise _invalid() from None
    if not isinstance(issuer, str):
        raise _invalid()
    return issuer


def import_keys(document: Mapping[str, Any]) -> KeySet:
    """Read a JWKS document (RFC 7517). Raises ValueError when it has no public key that we can use.

    Keys of other kinds are left out, as its section 5 asks; symmetric ones always.
    """
    entries = document.get("keys")
    candidates = entries if isinstance(entries, list) else []
    imported = [key for entry in candidates if (key := _import_key(entry)) is not None]
    if not imported:
        raise ValueError("The JWKS document has no usable key")
    return KeySet(imported)


def verify(text: str, issuer: ExternalIssuer, keys: KeySet, matrix: RoleMatrix, now: datetime) -> Principal:
    """Return the user behind a genuine token of `issuer`.

    Raises UnknownKey when `keys` lacks the token's key, else Unauthenticated: `token_expired`, `invalid_token`, or
    `no_role` when the issuer gives the user none that `issuer.roles` knows.
    """
    try:
        token = jwt.decode(text, keys, algorithms=list(issuer.algorithms))
        required_claims(issuer.name, issuer.audience, now, leeway_s=LEEWAY_S).validate(token.claims)
        expires_at = datetime.fromtimestamp(token.claims["exp"], UTC)
    except InvalidKeyIdError:
        raise UnknownKey("the token's key is not known") from None
    except ExpiredTokenError:
        raise Unauthenticated("the token has expired", code="token_expired") from None
    except (JoseError, ValueError, OverflowError, OSError):
        raise _invalid() from None
    return _principal(token.claims, issuer, matrix, expires_at)


def _principal(
    claims: Mapping[str, Any], issuer: ExternalIssuer, matrix: RoleMatrix, expires_at: datetime
) -> Principal:
    role = _role(claims.get(issuer.role_claim), issuer.roles)
    subject = claims["sub"]
    name = claims.get("name") or claims.get("email") or subject
    return Principal(
        id=derived_id(issuer.organization, f"{issuer.name}|{subject}"),
        organization=issuer.organization,
        organization_slug=issuer.organization_slug,
        kind=PrincipalKind.USER,
        role=role,
        display_name=str(name)[:200],
        permissions=matrix.permissions_of(role),
        token_expires_at=expires_at,
    )


def _role(claimed: object, roles: Mapping[str, Role]) -> Role:
    values = claimed if isinstance(claimed, list) else [claimed]
    for name, role in roles.items():
        if name in values:
            return role
    raise Unauthenticated("the issuer gives the user no role here", code="no_role")


def _import_key(entry: object) -> Key | None:
    if not isinstance(entry, dict) or entry.get("kty") not in _KEY_TYPES or entry.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(entry)
    except (JoseError, ValueError, KeyError, TypeError):
        return None


def _invalid() -> Unauthenticated:
    return Unauthenticated("the token is not valid", code="invalid_token")

"""Whose access token is this? JWTs of the built-in issuer: made and verified here, HS256 and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet, OctKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import Unauthenticated
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import Role, RoleMatrix

ACCESS_LIFETIME = timedelta(minutes=15)
ALGORITHM = "HS256"
ACCESS_TYPE = "at+jwt"
"""RFC 9068: another kind of token that we sign can never be taken for an access token."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """The built-in issuer: its name, who its tokens are for, and its keys."""

    name: str
    audience: str
    keys: SigningKeys

    def key_set(self) -> KeySet:
        """The verification keys by key id."""
        return KeySet([_key(key_id, key) for key_id, key in self.keys.keys.items()])


class TokenClaims(BaseModel):
    """What an access token says about a user, after its signature, issuer, audience and times were verified."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    token: UUID = Field(alias="jti")
    user: UUID = Field(alias="sub")
    organization: UUID = Field(alias="org")
    role: Role
    display_name: str = Field(alias="name")
    expires_at: AwareDatetime = Field(alias="exp")


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """An active user with a sign-in that has not ended, as both stand today; `token` came from that sign-in."""

    id: UUID
    organization: UUID
    organization_slug: str
    role: Role
    display_name: str
    token: UUID

    def principal(self, matrix: RoleMatrix, token_expires_at: datetime | None) -> Principal:
        """The user as principal, with what the role may do in the organization's `matrix`."""
        return Principal(
            id=self.id,
            organization=self.organization,
            organization_slug=self.organization_slug,
            kind=PrincipalKind.USER,
            role=self.role,
            display_name=self.display_name,
            permissions=matrix.permissions_of(self.role),
            token=self.token,
            token_expires_at=token_expires_at,
        )


def new_claims(
    *, token: UUID, user: UUID, organization: UUID, role: Role, display_name: str, now: datetime
) -> TokenClaims:
    """The claims of a fresh access token: 15 minutes, in whole seconds as JWT has them."""
    return TokenClaims(
        jti=token,
        sub=user,
        org=organization,
        role=role,
        name=display_name,
        exp=now.replace(microsecond=0) + ACCESS_LIFETIME,
    )


def encode_access_token(claims: TokenClaims, issuer: Issuer) -> str:
    """Sign `claims` with the issuer's primary key."""
    key_id = issuer.keys.primary
    body = {
        "iss": issuer.name,
        "aud": issuer.audience,
        "sub": str(claims.user),
        "org": str(claims.organization),
        "role": claims.role.value,
        "name": claims.display_name,
        "iat": int((claims.expires_at - ACCESS_LIFETIME).timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        "jti": str(claims.token),
    }
    header = {"alg": ALGORITHM, "typ": ACCESS_TYPE, "kid": key_id}
    return jwt.encode(header, body, _key(key_id, issuer.keys.keys[key_id]), algorithms=[ALGORITHM])


class AccessTokens:
    """Verifies access tokens of one issuer; holds the imported keys, because every request needs them."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._keys = issuer.key_set()

    def verify(self, text: str, now: datetime) -> TokenClaims:
        """Return the claims of a genuine token. Raises Unauthenticated: `token_expired`, else `invalid_token`."""
        try:
            token = jwt.decode(text, self._keys, algorithms=[ALGORITHM])
            required_claims(self._issuer.name, self._issuer.audience, now).validate(token.claims)
            if token.header.get("typ") != ACCESS_TYPE:
                raise Unauthenticated("the token is not an access token", code="invalid_token")
            return TokenClaims.model_validate(token.claims)
        except ExpiredTokenError:
            raise Unauthenticated("the token has expired", code="token_expired") from None
        except (JoseError, ValidationError, ValueError):
            # ValueError: joserfc lets the decoders' own errors through for some malformed texts.
            raise Unauthenticated("the token is not valid", code="invalid_token") from None


def required_claims(issuer: str, audience: str, now: datetime, *, leeway_s: int = 0) -> jwt.JWTClaimsRegistry:
    """What every token must say, whoever issued it: issuer, audience, subject, and an end that is not reached."""
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=leeway_s,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )


def _key(key_id: str, key: bytes) -> OctKey:
    return OctKey.import_key(key, {"kid": key_id, "alg": ALGORITHM, "use": "sig"})

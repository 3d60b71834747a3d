"""An access token is believed only when this issuer signed it, for us, with its one algorithm, and in its time."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tokens import AccessTokens, Issuer, SignedInUser, encode_access_token, new_claims
from shared.kit.errors import Unauthenticated
from shared.security.permissions import Permission
from shared.security.roles import ROLE_PERMISSIONS, Role, RoleMatrix

NOW = datetime(2026, 11, 20, 16, 0, 0, 123456, tzinfo=UTC)
SECRET = b"s" * 32
ISSUER = Issuer("canopy", "canopy-api", SigningKeys("1", {"1": SECRET}))
CLAIMS = new_claims(
    token=UUID(int=1), user=UUID(int=2), organization=UUID(int=3), role=Role.MANAGER, display_name="Mara", now=NOW
)
BODY = {
    "iss": "canopy",
    "aud": "canopy-api",
    "sub": str(UUID(int=2)),
    "org": str(UUID(int=3)),
    "role": "manager",
    "name": "Mara",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 900,
    "jti": str(UUID(int=1)),
}
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "1"}


def verify(text: str, now: datetime = NOW, issuer: Issuer = ISSUER):
    return AccessTokens(issuer).verify(text, now)


def refusal_of(text: str, now: datetime = NOW, issuer: Issuer = ISSUER) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        verify(text, now, issuer)
    return refusal.value.code


def signed(header: dict | None = None, *, without: str = "", secret: bytes = SECRET, **body) -> str:
    claims = {key: value for key, value in {**BODY, **body}.items() if key != without}
    header = header or HEADER
    return jwt.encode(header, claims, OctKey.import_key(secret), algorithms=[header["alg"]])


def test_what_is_encoded_verifies():
    assert verify(encode_access_token(CLAIMS, ISSUER)) == CLAIMS


def test_a_token_lives_15_minutes_and_is_over_at_its_expiry():
    text = encode_access_token(CLAIMS, ISSUER)
    assert CLAIMS.expires_at == NOW.replace(microsecond=0) + timedelta(minutes=15)
    assert verify(text, CLAIMS.expires_at - timedelta(seconds=1))
    assert refusal_of(text, CLAIMS.expires_at) == "token_expired"


def test_the_principal_holds_what_the_organization_leaves_to_its_role():
    matrix = RoleMatrix({Role.MANAGER: frozenset({Permission.RESOURCES_FORCE})})
    user = SignedInUser(UUID(int=2), UUID(int=3), "acme", Role.MANAGER, "Mara", token=UUID(int=1))
    principal = user.principal(matrix, CLAIMS.expires_at)
    assert principal.permissions == ROLE_PERMISSIONS[Role.MANAGER] - {Permission.RESOURCES_FORCE}
    assert (principal.id, principal.organization, principal.actor) == (
        UUID(int=2),
        UUID(int=3),
        f"user:{UUID(int=2)}",
    )
    assert principal.token_expires_at == CLAIMS.expires_at


def test_the_hand_made_token_of_these_tests_is_a_good_one():
    assert verify(signed()) == CLAIMS


@pytest.mark.parametrize(
    "text",
    [
        signed(secret=b"x" * 32),
        signed(iss="somebody else"),
        signed(aud="another-api"),
        signed(aud=["another-api"]),
        signed(sub="not an id"),
        signed(org=None),
        signed(role="emperor"),
        signed(exp="tomorrow"),
        signed(exp=True),
        signed(exp=10**30),
        signed(iat=int(NOW.timestamp()) + 60),
        signed(nbf=int(NOW.timestamp()) + 60),
        signed({"alg": "HS512", "typ": "at+jwt", "kid": "1"}, secret=SECRET),
        signed({"alg": "HS256", "typ": "JWT", "kid": "1"}),
        signed({"alg": "HS256", "typ": "at+jwt", "kid": "unknown"}),
        *(signed(without=claim) for claim in ("iss", "aud", "sub", "org", "role", "name", "exp", "jti")),
    ],
)
def test_any_other_token_is_refused(text):
    assert refusal_of(text) == "invalid_token"


def test_a_token_without_signature_is_refused():
    header, payload, _ = signed().split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt"}).encode()).decode().rstrip("=")
    assert refusal_of(f"{none}.{payload}.") == "invalid_token"
    assert refusal_of(f"{header}.{payload}.") == "invalid_token"


def test_a_token_signed_with_an_asymmetric_key_is_refused():
    text = jwt.encode({**HEADER, "alg": "RS256"}, BODY, RSAKey.generate_key(2048), algorithms=["RS256"])
    assert refusal_of(text) == "invalid_token"


@given(position=st.integers(min_value=0), character=st.sampled_from("ABCxyz019-_."))
def test_one_changed_character_is_refused(position, character):
    text = encode_access_token(CLAIMS, ISSUER)
    changed = text[: position % len(text)] + character + text[position % len(text) + 1 :]
    # The last character of the signature carries two bits that no decoder reads.
    if changed[:-1] != text[:-1]:
        assert refusal_of(changed) == "invalid_token"


@given(noise=st.text() | st.from_regex(r"[\w=-]*\.[\w=-]*\.[\w=-]*", fullmatch=True))
def test_noise_is_refused_and_never_crashes(noise):
    assert refusal_of(noise) == "invalid_token"


def test_after_rotation_old_tokens_verify_until_their_key_is_gone():
    text = encode_access_token(CLAIMS, ISSUER)
    rotated = Issuer("canopy", "canopy-api", SigningKeys("2", {"1": SECRET, "2": b"t" * 32}))
    without_old = Issuer("canopy", "canopy-api", SigningKeys("2", {"2": b"t" * 32}))
    assert verify(text, issuer=rotated) == CLAIMS
    assert verify(encode_access_token(CLAIMS, rotated), issuer=without_old) == CLAIMS
    assert refusal_of(text, issuer=without_old) == "invalid_token"

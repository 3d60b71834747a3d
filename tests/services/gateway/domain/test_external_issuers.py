"""Another issuer is believed about its own users, in the organization that trusts it, and about nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.gateway.domain.external_issuers import ExternalIssuer, UnknownKey, import_keys, issuer_of, verify
from shared.kit.errors import Unauthenticated
from shared.security.roles import DEFAULT_MATRIX, ROLE_PERMISSIONS, Role

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ORGANIZATION = UUID("01980000-0000-7000-8000-00000000000a")
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
KEYS = import_keys({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})
ISSUER = ExternalIssuer(
    ORGANIZATION,
    "acme",
    "https://login.example.com",
    "canopy",
    {"cloud-admins": Role.ADMIN, "cloud-readers": Role.VIEWER},
)
BODY = {
    "iss": ISSUER.name,
    "aud": ["canopy", "other"],
    "sub": "00u1",
    "name": "Mara",
    "roles": ["staff", "cloud-readers"],
    "exp": int(NOW.timestamp()) + 600,
}


def signed(algorithm: str = "RS256", key=RSA, kid: str = "rsa", without: str = "", **body) -> str:
    claims = {name: value for name, value in {**BODY, **body}.items() if name != without}
    return jwt.encode({"alg": algorithm, "kid": kid}, claims, key, algorithms=[algorithm])


def code_of(text: str, issuer: ExternalIssuer = ISSUER) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        verify(text, issuer, KEYS, DEFAULT_MATRIX, NOW)
    return refusal.value.code


@pytest.mark.parametrize("text", [signed(), signed("ES256", EC, "ec")])
def test_a_genuine_token_gives_a_principal_of_the_trusting_organization(text):
    principal = verify(text, ISSUER, KEYS, DEFAULT_MATRIX, NOW)
    assert (principal.organization, principal.role, principal.display_name) == (ORGANIZATION, Role.VIEWER, "Mara")
    assert principal.permissions == ROLE_PERMISSIONS[Role.VIEWER]
    assert principal.token_expires_at == NOW + timedelta(seconds=600)


def test_a_user_keeps_its_id_and_shares_it_with_nobody():
    def user(text: str, issuer: ExternalIssuer = ISSUER) -> UUID:
        return verify(text, issuer, KEYS, DEFAULT_MATRIX, NOW).id

    elsewhere = ExternalIssuer(UUID(int=9), "other", ISSUER.name, ISSUER.audience, ISSUER.roles)
    assert user(signed()) == user(signed(name="Mara Renamed"))
    assert len({user(signed()), user(signed(sub="00u2")), user(signed(), elsewhere)}) == 3


def test_an_organization_in_the_claims_changes_nothing():
    text = signed(org=str(UUID(int=9)), organization=str(UUID(int=9)))
    assert verify(text, ISSUER, KEYS, DEFAULT_MATRIX, NOW).organization == ORGANIZATION


def test_the_first_listed_role_wins():
    text = signed(roles=["cloud-readers", "cloud-admins"])
    assert verify(text, ISSUER, KEYS, DEFAULT_MATRIX, NOW).role is Role.ADMIN


@pytest.mark.parametrize("roles", [[], ["staff"], "staff", None, 7, {"cloud-admins": True}])
def test_a_user_without_a_known_role_stays_out(roles):
    assert code_of(signed(roles=roles)) == "no_role"


@pytest.mark.parametrize(
    "text",
    [
        signed(iss="https://evil.example.com"),
        signed(aud="other"),
        signed(without="exp"),
        signed(without="sub"),
        signed(sub=7),
        signed(exp=1e300),
        signed(key=RSAKey.generate_key(2048)),
        signed("RS512"),
        signed("HS256", OctKey.import_key(b"k" * 32)),
    ],
)
def test_any_other_token_is_refused(text):
    assert code_of(text) == "invalid_token"


def test_an_expired_token_is_refused_after_the_leeway():
    assert verify(signed(exp=int(NOW.timestamp()) - 29), ISSUER, KEYS, DEFAULT_MATRIX, NOW)
    assert code_of(signed(exp=int(NOW.timestamp()) - 30)) == "token_expired"


def test_a_token_under_an_unknown_key_asks_for_a_fresh_key_set():
    with pytest.raises(UnknownKey):
        verify(signed(kid="rolled over"), ISSUER, KEYS, DEFAULT_MATRIX, NOW)


@pytest.mark.parametrize("algorithms", [["HS256"], ["RS256", "HS512"], ["none"], []])
def test_an_issuer_with_a_shared_secret_is_refused(algorithms):
    with pytest.raises(ValueError, match="asymmetric"):
        ExternalIssuer(ORGANIZATION, "acme", "i", "a", {}, algorithms=algorithms)


def test_keys_that_we_cannot_use_are_left_out():
    document = {
        "keys": [
            {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
            {"kty": "AKP", "alg": "ML-DSA-44", "kid": "quantum"},
            {**RSA.as_dict(private=False), "use": "enc", "kid": "encryption"},
            {"kty": "RSA", "kid": "broken"},
            "not a key",
            EC.as_dict(private=False),
        ]
    }
    assert [key.kid for key in import_keys(document)] == ["ec"]


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": []}, {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}])
def test_a_document_without_usable_keys_is_refused(document):
    with pytest.raises(ValueError, match="no usable key"):
        import_keys(document)


def test_the_issuer_is_read_before_anything_is_believed():
    assert issuer_of(signed(iss="https://evil.example.com")) == "https://evil.example.com"


@given(noise=st.text() | st.from_regex(r"[\w=-]*\.[\w=-]*\.[\w=-]*", fullmatch=True))
def test_noise_is_refused_and_never_crashes(noise):
    with pytest.raises(Unauthenticated):
        issuer_of(noise)
    assert code_of(noise) == "invalid_token"

"""An API key lets in who holds its secret, as what it was made for, until its end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.gateway.domain.api_keys import ApiKey, authenticate, ensure_grantable, new_api_key, parse_api_key
from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import InvalidInput, PermissionDenied, Unauthenticated
from shared.security.permissions import Permission
from shared.security.roles import DEFAULT_MATRIX, ROLE_PERMISSIONS, Role, RoleMatrix

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ORGANIZATION = UUID("01980000-0000-7000-8000-00000000000a")
KEYS = SigningKeys("1", {"1": b"p" * 32})
TOKEN = new_api_key(bytes(range(39)))


def stored(**changes) -> ApiKey:
    values = {
        "id": UUID("01990000-0000-7000-8000-00000000000b"),
        "organization": ORGANIZATION,
        "organization_slug": "acme",
        "name": "build server",
        "role": Role.ENGINEER,
        "prefix": TOKEN.prefix,
        "digest": TOKEN.digest(KEYS),
    }
    return ApiKey(**{**values, **changes})


def refusal_of(key: ApiKey | None, text: str = TOKEN.text) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        authenticate(parse_api_key(text), key, KEYS, DEFAULT_MATRIX, NOW)
    return refusal.value.code


def test_the_holder_of_the_secret_comes_in_with_the_key_s_role():
    end = NOW + timedelta(seconds=1)
    principal = authenticate(parse_api_key(TOKEN.text), stored(expires_at=end), KEYS, DEFAULT_MATRIX, NOW)
    assert (principal.kind, principal.role, principal.display_name) == ("api_key", Role.ENGINEER, "build server")
    assert principal.permissions == ROLE_PERMISSIONS[Role.ENGINEER]
    assert principal.token_expires_at == end


def test_the_organization_s_tighter_matrix_counts():
    matrix = RoleMatrix({Role.ENGINEER: frozenset({Permission.RESOURCES_WRITE})})
    principal = authenticate(TOKEN, stored(), KEYS, matrix, NOW)
    assert not principal.may(Permission.RESOURCES_WRITE)
    assert principal.may(Permission.RESOURCES_READ)


def test_an_unknown_a_forged_and_a_revoked_key_look_the_same():
    forged = TOKEN.text[:-1] + ("a" if TOKEN.text[-1] != "a" else "b")
    assert refusal_of(None) == refusal_of(stored(), forged) == refusal_of(stored(revoked_at=NOW)) == "invalid_token"


def test_a_key_is_over_at_the_instant_of_its_expiry():
    assert refusal_of(stored(expires_at=NOW)) == "token_expired"


def test_who_does_not_hold_the_secret_does_not_learn_that_a_key_has_expired():
    forged = TOKEN.text[:-1] + ("a" if TOKEN.text[-1] != "a" else "b")
    assert refusal_of(stored(expires_at=NOW), forged) == "invalid_token"


@pytest.mark.parametrize("role", Role)
def test_a_key_holds_no_more_than_its_creator(role):
    if ROLE_PERMISSIONS[role] <= ROLE_PERMISSIONS[Role.ADMIN]:
        ensure_grantable(Role.ADMIN, role, None, DEFAULT_MATRIX, NOW)
    else:
        with pytest.raises(PermissionDenied):
            ensure_grantable(Role.ADMIN, role, None, DEFAULT_MATRIX, NOW)


def test_a_key_cannot_be_born_expired():
    ensure_grantable(Role.OWNER, Role.OWNER, NOW + timedelta(seconds=1), DEFAULT_MATRIX, NOW)
    with pytest.raises(InvalidInput) as refusal:
        ensure_grantable(Role.OWNER, Role.OWNER, NOW, DEFAULT_MATRIX, NOW)
    assert refusal.value.errors[0].pointer == "/expires_at"

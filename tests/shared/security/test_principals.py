"""A principal holds what its role holds, never more, and ends with its token."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.security.permissions import Permission
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import ROLE_PERMISSIONS, Role

ORGANIZATION = UUID("01980000-0000-7000-8000-00000000000a")
NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


def principal(**changes) -> Principal:
    values = {
        "id": UUID("01990000-0000-7000-8000-00000000000b"),
        "organization": ORGANIZATION,
        "organization_slug": "acme",
        "kind": PrincipalKind.USER,
        "role": Role.VIEWER,
        "display_name": "Vera",
    }
    return Principal(**{**values, **changes})


@given(role=st.sampled_from(Role), held=st.frozensets(st.sampled_from(Permission)))
def test_a_principal_never_holds_more_than_its_role(role, held):
    if held <= ROLE_PERMISSIONS[role]:
        assert principal(role=role, permissions=held).permissions == held
    else:
        with pytest.raises(ValidationError):
            principal(role=role, permissions=held)


def test_a_principal_may_what_it_holds_and_nothing_else():
    vera = principal(permissions=frozenset({Permission.RESOURCES_READ}))
    assert [permission for permission in Permission if vera.may(permission)] == [Permission.RESOURCES_READ]


def test_a_principal_cannot_be_changed():
    with pytest.raises(ValidationError):
        principal().role = Role.OWNER


def test_a_token_is_over_at_the_instant_of_its_expiry():
    vera = principal(token_expires_at=NOW)
    assert not vera.expired(NOW - timedelta(microseconds=1))
    assert vera.expired(NOW)
    assert not principal(token_expires_at=None).expired(NOW)


def test_an_expiry_without_time_zone_is_refused():
    with pytest.raises(ValidationError):
        principal(token_expires_at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("change", [{"role": None}, {"kind": "system"}])
def test_nobody_comes_in_without_a_role_and_the_system_by_no_door(change):
    with pytest.raises(ValidationError):
        principal(**change)


def test_a_principal_survives_its_json():
    vera = principal(permissions=ROLE_PERMISSIONS[Role.VIEWER], token_expires_at=NOW)
    assert Principal.model_validate_json(vera.model_dump_json()) == vera

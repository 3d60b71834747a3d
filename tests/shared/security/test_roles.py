"""The role table is the matrix of the design, and nobody hands out more than they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.permissions import Permission
from shared.security.roles import DEFAULT_MATRIX, ROLE_PERMISSIONS, CannotTighten, Role, RoleMatrix

P = Permission
roles = st.sampled_from(Role)
tightenings = st.dictionaries(
    roles.filter(lambda role: role is not Role.OWNER), st.frozensets(st.sampled_from(Permission)), max_size=6
)

# The matrix of the design once more, by permission and written by hand.
MATRIX = {
    P.ORGANIZATION_READ: "oa",
    P.ORGANIZATION_WRITE: "oa",
    P.ORGANIZATION_OWN: "o",
    P.USERS_READ: "oa",
    P.USERS_WRITE: "oa",
    P.API_KEYS_READ: "oa",
    P.API_KEYS_WRITE: "oa",
    P.PROVIDERS_READ: "oamevfs",
    P.PROVIDERS_WRITE: "oa",
    P.RESOURCES_READ: "oamevs",
    P.RESOURCES_WRITE: "oame",
    P.RESOURCES_OPERATE: "oames",
    P.RESOURCES_FORCE: "oam",
    P.TEMPLATES_READ: "oamevs",
    P.TEMPLATES_WRITE: "oame",
    P.DEPLOYMENTS_READ: "oamevs",
    P.DEPLOYMENTS_WRITE: "oame",
    P.DEPLOYMENTS_APPROVE: "oam",
    P.COSTS_READ: "oamef",
    P.COSTS_WRITE: "oamf",
    P.BUDGETS_READ: "oamef",
    P.BUDGETS_WRITE: "oamf",
    P.OPTIMIZATION_APPLY: "oam",
    P.MONITORING_READ: "oamevs",
    P.ALERTS_READ: "oamevs",
    P.ALERTS_ACKNOWLEDGE: "oames",
    P.ALERTS_CONFIGURE: "oames",
    P.CHANNELS_READ: "oamevs",
    P.CHANNELS_WRITE: "oames",
    P.RECOVERY_READ: "oamevs",
    P.RECOVERY_TEST: "oams",
    P.RECOVERY_WRITE: "oas",
    P.RECOVERY_EXECUTE: "oas",
    P.COMPLIANCE_READ: "oamevs",
    P.COMPLIANCE_SCAN: "oame",
    P.COMPLIANCE_REMEDIATE: "oa",
    P.AUTOMATION_READ: "oamevs",
    P.AUTOMATION_WRITE: "oams",
    P.AUDIT_READ: "oas",
    P.OPERATIONS_READ: "oamevfs",
}
LETTERS = {
    "o": Role.OWNER,
    "a": Role.ADMIN,
    "m": Role.MANAGER,
    "e": Role.ENGINEER,
    "v": Role.VIEWER,
    "f": Role.FINANCE,
    "s": Role.OPS,
}


@pytest.mark.parametrize("permission", Permission)
def test_each_permission_is_held_by_exactly_the_roles_of_the_design(permission):
    holders = {role for role, held in ROLE_PERMISSIONS.items() if permission in held}
    assert holders == {LETTERS[letter] for letter in MATRIX[permission]}


def test_every_role_has_a_row():
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_who_may_grant_what_by_default():
    grants = {creator: {role for role in Role if DEFAULT_MATRIX.may_grant(creator, role)} for creator in Role}
    assert grants == {
        Role.OWNER: set(Role),
        Role.ADMIN: set(Role) - {Role.OWNER},
        Role.MANAGER: {Role.MANAGER, Role.ENGINEER, Role.VIEWER, Role.FINANCE},
        Role.ENGINEER: {Role.ENGINEER, Role.VIEWER},
        Role.VIEWER: {Role.VIEWER},
        Role.FINANCE: {Role.FINANCE},
        Role.OPS: {Role.OPS, Role.VIEWER},
    }


@given(removed=tightenings, role=roles)
def test_an_organization_can_only_tighten(removed, role):
    matrix = RoleMatrix(removed)
    assert matrix.permissions_of(role) <= ROLE_PERMISSIONS[role]
    assert not matrix.permissions_of(role) & removed.get(role, frozenset())


@given(removed=tightenings, creator=roles, role=roles)
def test_a_role_never_grants_more_than_it_has(removed, creator, role):
    matrix = RoleMatrix(removed)
    if matrix.may_grant(creator, role):
        assert matrix.permissions_of(role) <= matrix.permissions_of(creator)


@given(removed=tightenings, creator=roles)
def test_nobody_but_an_owner_makes_an_owner(removed, creator):
    assert RoleMatrix(removed).may_grant(creator, Role.OWNER) == (creator is Role.OWNER)


def test_a_tightened_admin_cannot_hand_out_what_it_lost():
    matrix = RoleMatrix({Role.ADMIN: frozenset({P.AUDIT_READ})})
    assert not matrix.may_grant(Role.ADMIN, Role.OPS)
    assert matrix.may_grant(Role.ADMIN, Role.MANAGER)


def test_the_owner_cannot_be_tightened():
    with pytest.raises(CannotTighten):
        RoleMatrix({Role.OWNER: frozenset({P.AUDIT_READ})})

"""An operation is followed by who began it and by who may read what it works on."""

from uuid import UUID

import pytest

from services.gateway.domain.operations import may_follow, readable_targets, short
from services.gateway.domain.subscriptions import FAMILY_PERMISSIONS
from shared.bus.topology import load_router
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import ROLE_PERMISSIONS, Role

SOMEBODY = f"user:{UUID(int=9)}"


def principal(role: Role) -> Principal:
    return Principal(
        id=UUID(int=1),
        organization=UUID(int=2),
        organization_slug="acme",
        kind=PrincipalKind.USER,
        role=role,
        display_name="Fay",
        permissions=ROLE_PERMISSIONS[role],
    )


@pytest.mark.parametrize(
    ("role", "target_type", "follows"),
    [
        (Role.VIEWER, "resource", True),
        (Role.VIEWER, "drill", True),
        (Role.FINANCE, "resource", False),
        (Role.FINANCE, "drill", False),
        (Role.FINANCE, "backup", False),
        (Role.OWNER, "unheard_of", False),
    ],
)
def test_others_work_is_open_to_who_reads_its_target(role, target_type, follows) -> None:
    assert may_follow(principal(role), SOMEBODY, target_type) is follows
    assert (target_type in readable_targets(principal(role))) is follows


def test_everybody_follows_what_they_began() -> None:
    finance = principal(Role.FINANCE)
    assert may_follow(finance, finance.actor, "drill")


def test_every_target_of_long_work_is_one_that_somebody_may_read() -> None:
    """Why: an operation on a target that is not listed would be seen by nobody but its starter."""
    programs = [
        program
        for service in ("provisioner", "monitor", "costs", "recovery")
        for program in load_router(service).programs.values()
    ]
    assert {program.target_type for program in programs} <= set(FAMILY_PERMISSIONS)
    assert programs


def test_a_list_tells_long_results_without_their_lists() -> None:
    small = {"resource_id": "i-1", "items": [1, 2]}
    assert short(small) == small
    assert short(None) is None
    assert short({"placed": 200, "items": ["x" * 100] * 200, "more": {"a": "x" * 4000}}) == {"placed": 200}

"""A socket gets what it asked for and may read, and a wrong pattern is pointed at."""

from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.gateway.domain.subscriptions import FAMILY_PERMISSIONS, parse
from shared.kit.errors import InvalidInput, PermissionDenied
from shared.messages import catalog
from shared.messages.base import classes_of
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import ROLE_PERMISSIONS, Role

WEB = UUID("01990000-0000-7000-8000-00000000000b")
OTHER = UUID("01990000-0000-7000-8000-00000000000c")


def principal(role: Role) -> Principal:
    return Principal(
        id=UUID(int=1),
        organization=UUID(int=2),
        organization_slug="acme",
        kind=PrincipalKind.USER,
        role=role,
        display_name="Vera",
        permissions=ROLE_PERMISSIONS[role],
    )


OWNER = principal(Role.OWNER)


@pytest.mark.parametrize(
    ("pattern", "message_type", "wanted"),
    [
        ("resource.*", "resource.started.v1", True),
        ("resource.*", "resource.health_changed.v2", True),
        ("resource.*", "alert.fired.v1", False),
        ("resource.*", "resource_group.started.v1", False),
        ("alert.fired", "alert.fired.v1", True),
        ("alert.fired", "alert.resolved.v1", False),
        ("alert.*", "alert_rule.created.v1", False),
        ("operation.*", "operation.progressed.v1", True),
        (f"operation:{WEB}", "operation.progressed.v1", True),
        (f"operation:{OTHER}", "operation.progressed.v1", False),
        (f"operation:{WEB}", "resource.started.v1", False),
        (f"metrics:{WEB}", "resource.started.v1", False),
    ],
)
def test_an_event_goes_to_who_asked_for_it(pattern, message_type, wanted):
    assert parse([pattern], OWNER).wants_event(message_type, WEB) is wanted


def test_metrics_come_of_the_named_resources_only():
    subscriptions = parse([f"metrics:{WEB}", f"operation:{OTHER}", "resource.*"], OWNER)
    assert subscriptions.wants_metrics(WEB)
    assert not subscriptions.wants_metrics(OTHER)


def test_nothing_asked_is_nothing_sent():
    subscriptions = parse([], OWNER)
    assert not subscriptions.wants_event("resource.started.v1", WEB)
    assert not subscriptions.wants_metrics(WEB)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "*.*",
        ">",
        "resource",
        "resource.",
        "resource.>",
        "resource.*.v1",
        "resource.st*",
        "Resource.*",
        "unknown.*",
        "resource.*\n",
        " resource.*",
        "metrics.*",
        "metrics:",
        "metrics:*",
        "metrics:web-1",
        f"metrics:{WEB}0",
        f"resource:{WEB}",
        f"operation:{WEB.hex}",
        "canopy.event.>",
    ],
)
def test_a_wrong_pattern_is_refused_with_a_pointer(pattern):
    with pytest.raises(InvalidInput) as refusal:
        parse(["resource.*", pattern], OWNER)
    assert [error.pointer for error in refusal.value.errors] == ["/subscribe/1"]


@given(pattern=st.text(max_size=60))
def test_noise_is_refused(pattern):
    assume(pattern.partition(".")[0] not in FAMILY_PERMISSIONS)
    with pytest.raises(InvalidInput):
        parse([pattern], OWNER)


def test_too_many_patterns_are_refused():
    parse(["resource.*"] * 200, OWNER)
    with pytest.raises(InvalidInput):
        parse(["resource.*"] * 201, OWNER)


@given(role=st.sampled_from(Role), family=st.sampled_from(sorted(FAMILY_PERMISSIONS)))
def test_a_family_is_open_to_exactly_the_roles_that_may_read_it(role, family):
    pattern = f"metrics:{WEB}" if family == "metrics" else f"{family}.*"
    if FAMILY_PERMISSIONS[family] in ROLE_PERMISSIONS[role]:
        parse([pattern], principal(role))
    else:
        with pytest.raises(PermissionDenied):
            parse([pattern], principal(role))


def test_finance_sees_budgets_and_no_alerts():
    finance = principal(Role.FINANCE)
    assert parse(["budget.*"], finance).wants_event("budget.exceeded.v1", WEB)
    with pytest.raises(PermissionDenied, match="alert, metrics"):
        parse(["budget.*", f"metrics:{WEB}", "alert.*"], finance)


def test_every_declared_event_belongs_to_a_family_with_a_permission():
    """Why: a family that is not listed is seen by nobody, so a new event would silently never reach a dashboard."""
    catalog.load()
    declared = {cls.entity for cls in classes_of("event") if cls.__module__.startswith("shared.messages.")}
    assert declared <= set(FAMILY_PERMISSIONS)
    assert "operation" in declared

"""Decisions about resources, without any I/O."""

import pytest

from services.provisioner.domain.resources import (
    check_dependents,
    check_force,
    check_idle,
    check_tags,
    cloud_tags,
    next_status,
    size_category,
)
from shared.kit.errors import Conflict, InvalidInput, PermissionDenied
from shared.messages.resources import ResourceStatus

STATUSES = ResourceStatus.__args__  # type: ignore[attr-defined]
ALLOWED = {
    "stop": {"running", "error"},
    "start": {"stopped", "error"},
    "terminate": {"running", "available", "stopped", "error"},
}


@pytest.mark.parametrize("action", sorted(ALLOWED))
@pytest.mark.parametrize("status", STATUSES)
def test_each_status_allows_what_the_table_says(action: str, status: str) -> None:
    if status in ALLOWED[action]:
        assert next_status(action, status) == ("starting" if action == "start" else "stopping")
        return
    with pytest.raises(Conflict) as refused:
        next_status(action, status)
    assert refused.value.code == ("already_terminated" if status == "terminated" else "wrong_state")


def test_one_operation_at_a_time() -> None:
    check_idle(None)
    with pytest.raises(Conflict, match="42") as refused:
        check_idle(42)
    assert refused.value.code == "operation_in_progress"


@pytest.mark.parametrize("role", ["owner", "admin", "manager"])
def test_a_manager_or_above_may_force(role: str) -> None:
    check_force(critical=True, force=True, role=role)


@pytest.mark.parametrize("role", ["engineer", "viewer", "finance", "ops", "system", "nonsense"])
def test_nobody_else_may_force(role: str) -> None:
    with pytest.raises(PermissionDenied):
        check_force(critical=True, force=True, role=role)


def test_only_critical_resources_are_guarded() -> None:
    check_force(critical=False, force=False, role="engineer")
    with pytest.raises(Conflict):
        check_force(critical=True, force=False, role="owner")


def test_the_longest_tags_are_taken_and_one_more_character_is_not() -> None:
    check_tags({"k" * 128: "v" * 256})
    with pytest.raises(InvalidInput) as refused:
        check_tags({"k" * 129: "v" * 257})
    assert len(refused.value.errors) == 2


def test_our_tags_cannot_be_taken_by_a_client() -> None:
    assert cloud_tags("web", "production", "wedding", {"team": "x"}) == {
        "Name": "web", "Environment": "production", "Project": "wedding", "team": "x",
    }  # fmt: skip
    for key in ("Name", "ENVIRONMENT", "project", "aws:x", "canopy:token"):
        with pytest.raises(InvalidInput):
            check_tags({key: "x"})


@pytest.mark.parametrize(
    ("configuration", "size"),
    [
        ({"instance_type": "t3.micro"}, "micro"),
        ({"instance_type": "m5.2xlarge"}, "xlarge"),
        ({"instance_type": "m5.metal"}, "custom"),
        ({}, None),
    ],
)
def test_sizes_follow_from_the_type(configuration: dict[str, str], size: str | None) -> None:
    assert size_category(configuration) == size


def test_the_first_dependents_are_named_and_the_others_counted() -> None:
    check_dependents([], force=False, role="engineer")
    with pytest.raises(Conflict) as refused:
        check_dependents([f"web-{number}" for number in range(12)], force=False, role="owner")
    assert refused.value.code == "has_dependents"
    assert "web-9 and 2 more" in refused.value.detail
    check_dependents(["web"], force=True, role="manager")
    with pytest.raises(PermissionDenied):
        check_dependents(["web"], force=True, role="engineer")

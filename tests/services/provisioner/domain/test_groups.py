"""How copies are called, which go first, and what they cost together."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.provisioner.domain.groups import group_impact, hourly_cost_of, leaving, next_names, total
from shared.clouds.models import MachineType
from shared.kit.errors import Conflict

TYPES = {"t3.micro": MachineType("t3.micro", "t3", 2, 1.0, "x86_64")}


@dataclass
class Member:
    id: UUID
    resource_name: str = "web"
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    configuration: dict[str, Any] = field(default_factory=lambda: {"instance_type": "t3.micro"})
    cost_tracking: dict[str, Any] = field(default_factory=dict)


ORIGINAL, OLD, NEW = (
    Member(UUID(int=number), created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number))
    for number in range(3)
)


def test_names_take_the_lowest_numbers_that_are_free() -> None:
    assert next_names("web", {"web", "web-2"}, 3) == ["web-1", "web-3", "web-4"]
    [long] = next_names("x" * 200, set(), 1)
    assert (len(long), long[-2:]) == (200, "-1")


def test_the_newest_go_first_and_the_original_last_and_by_force_only() -> None:
    members = [ORIGINAL, OLD, NEW]
    assert leaving(members, ORIGINAL.id, 2, force=False) == [NEW, OLD]
    assert leaving(members, ORIGINAL.id, 3, force=True) == [NEW, OLD, ORIGINAL]
    assert leaving([OLD, NEW], ORIGINAL.id, 2, force=False) == [NEW, OLD]
    for count, force in ((3, False), (4, True)):
        with pytest.raises(Conflict) as refused:
            leaving(members, ORIGINAL.id, count, force=force)
        assert refused.value.code == "too_few_members"


def test_what_is_not_known_is_not_zero() -> None:
    priced = Member(UUID(int=9), cost_tracking={"hourly": 0.0104, "included": ["t3.micro"]})
    assert hourly_cost_of(priced) == 0.0104
    assert hourly_cost_of(ORIGINAL) is None
    assert total([0.1, 0.2]) == 0.3
    assert total([0.1, None]) is None
    impact = {"vcpu": {"before": 2, "after": 4}, "memory_gib": {"before": 1.0, "after": 2.0}}
    assert group_impact(TYPES, [OLD], [OLD, NEW]) == impact
    unknown = Member(UUID(int=8), configuration={"instance_type": "other"})
    assert group_impact(TYPES, [OLD], [OLD, unknown]) is None

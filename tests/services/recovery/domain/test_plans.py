"""A plan refers to what exists, is tested when it is due, and is ready only when every resource could be restored."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recovery.domain.plans import (
    DEFAULT_RTO_MINUTES,
    Scope,
    next_test_due,
    problems_of,
    readiness_of,
    retention_of,
    success_rate,
)
from shared.messages.plans import BackupStrategy, RecoveryRegion, RegionReference, RetentionPolicy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT, OTHER_ACCOUNT, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
WEB, DATABASE, QUEUE = UUID(int=11), UUID(int=12), UUID(int=13)
EAST, WEST, NORTH = "us-east-1", "us-west-2", "eu-north-1"
PROVIDERS: Mapping[UUID, Mapping[str, Any]] = {
    ACCOUNT: {"status": "active", "regions": [EAST, WEST]},
    OTHER_ACCOUNT: {"status": "active", "regions": [EAST, WEST]},
}
MACHINE: Mapping[str, Any] = {
    "resource_status": "running", "provider_id": ACCOUNT, "region": EAST, "resource_type": "compute",
}  # fmt: skip
GOOD = Scope(
    RegionReference(provider_id=ACCOUNT, region_code=EAST),
    [RecoveryRegion(provider_id=ACCOUNT, region_code=WEST)],
    [WEB],
    BackupStrategy(),
)


def pointers(
    scope: Scope,
    resources: Mapping[UUID, Mapping[str, Any]] | None = None,
    providers: Mapping[UUID, Mapping[str, Any]] = PROVIDERS,
) -> list[str]:
    known = {WEB: MACHINE} if resources is None else resources
    return [problem.pointer for problem in problems_of(scope, known, providers)]


def recover_in(*regions: tuple[UUID, str]) -> Scope:
    return replace(GOOD, regions=[RecoveryRegion(provider_id=account, region_code=code) for account, code in regions])


def test_a_good_plan_has_no_problems() -> None:
    assert pointers(GOOD) == []


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (
            replace(GOOD, primary=RegionReference(provider_id=STRANGER, region_code=EAST), resources=[]),
            ["/primary_region/provider_id", "/disaster_recovery_regions/0/provider_id"],
        ),
        (
            replace(GOOD, primary=RegionReference(provider_id=ACCOUNT, region_code=NORTH), resources=[]),
            ["/primary_region/region_code"],
        ),
        (recover_in((ACCOUNT, NORTH)), ["/disaster_recovery_regions/0/region_code"]),
        (recover_in((OTHER_ACCOUNT, WEST)), ["/disaster_recovery_regions/0/provider_id"]),
        (recover_in((ACCOUNT, EAST)), ["/disaster_recovery_regions/0/region_code"]),
        (recover_in((ACCOUNT, WEST), (ACCOUNT, WEST)), ["/disaster_recovery_regions/1/region_code"]),
        (replace(GOOD, strategy=BackupStrategy(cross_region=False)), ["/backup_strategy/cross_region"]),
        (replace(GOOD, resources=[WEB, WEB]), ["/resources/1"]),
        (replace(GOOD, resources=[QUEUE, WEB]), ["/resources/0"]),
    ],
)
def test_what_is_impossible_is_pointed_at(scope: Scope, expected: list[str]) -> None:
    assert pointers(scope) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"resource_status": "terminated"},
        {"provider_id": OTHER_ACCOUNT},
        {"region": WEST},
        {"resource_type": "database"},
    ],
)
def test_a_resource_that_could_not_be_restored_is_pointed_at(change: Mapping[str, Any]) -> None:
    assert pointers(GOOD, {WEB: {**MACHINE, **change}}) == ["/resources/0"]


def test_a_stopped_machine_can_be_in_a_plan() -> None:
    assert pointers(GOOD, {WEB: {**MACHINE, "resource_status": "stopped"}}) == []


def test_a_removed_provider_is_no_known_provider() -> None:
    removed = {ACCOUNT: {"status": "removed", "regions": [EAST, WEST]}}
    assert pointers(GOOD, providers=removed) == [
        "/primary_region/provider_id",
        "/disaster_recovery_regions/0/provider_id",
    ]


def test_regions_that_are_not_known_yet_refuse_nothing() -> None:
    assert pointers(GOOD, providers={ACCOUNT: {"status": "active", "regions": []}}) == []


def test_all_problems_are_told_at_once() -> None:
    scope = replace(recover_in((ACCOUNT, EAST)), resources=[QUEUE], strategy=BackupStrategy(cross_region=False))
    assert pointers(scope) == [
        "/disaster_recovery_regions/0/region_code", "/resources/0", "/backup_strategy/cross_region",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("plan_type", "minutes"),
    [("active_active", 2), ("active_passive", 2), ("warm_standby", 2), ("pilot_light", 15), ("backup_restore", 240)],
)
def test_each_type_has_the_recovery_time_of_requirement_c2(plan_type: str, minutes: int) -> None:
    assert DEFAULT_RTO_MINUTES[plan_type] == minutes


def test_retention_is_the_policy_when_given_and_the_days_otherwise() -> None:
    policy = RetentionPolicy(kind="generations", daily=3)
    assert retention_of(BackupStrategy(retention_days=9, retention=policy)) == policy
    assert retention_of(BackupStrategy(retention_days=9)) == RetentionPolicy(kind="days", days=9)


@pytest.mark.parametrize(("frequency", "days"), [("weekly", 7), ("monthly", 30), ("quarterly", 91), ("yearly", 365)])
def test_a_test_is_due_an_interval_after_the_last_one_or_after_the_plan_was_made(frequency: str, days: int) -> None:
    created_at = NOW - timedelta(days=500)
    assert next_test_due(frequency, NOW, created_at) == NOW + timedelta(days=days)
    assert next_test_due(frequency, None, created_at) == created_at + timedelta(days=days)


def test_a_plan_that_is_tested_by_hand_is_never_due() -> None:
    assert next_test_due("manual", None, NOW) is None


@pytest.mark.parametrize(
    ("successes", "total", "expected"), [(0, 0, None), (0, 3, 0.0), (1, 3, 33.3), (2, 3, 66.7), (3, 3, 100.0)]
)
def test_no_drill_is_not_a_failed_drill(successes: int, total: int, expected: float | None) -> None:
    assert success_rate(successes, total) == expected


def test_a_plan_is_as_old_as_its_oldest_recovery_point() -> None:
    found = readiness_of([WEB, DATABASE], {WEB: NOW, DATABASE: NOW - timedelta(minutes=30)}, 60, NOW)
    assert (found.reasons, found.protected) == ([], 2)
    assert (found.recovery_point, found.data_loss_s, found.rpo_met) == (NOW - timedelta(minutes=30), 1800, True)


def test_a_resource_without_backup_makes_the_data_loss_unknown() -> None:
    found = readiness_of([WEB, DATABASE], {WEB: NOW}, 60, NOW)
    assert found.reasons == [f"resource {DATABASE} has no usable backup in the recovery region"]
    assert (found.protected, found.recovery_point, found.data_loss_s, found.rpo_met) == (1, None, None, None)


def test_a_plan_without_resources_recovers_nothing_and_is_not_ready() -> None:
    found = readiness_of([], {}, 60, NOW)
    assert found.reasons == ["the plan lists no resources"]
    assert (found.protected, found.recovery_point, found.data_loss_s, found.rpo_met) == (0, None, None, None)


@pytest.mark.parametrize(
    ("age", "reasons"),
    [
        (timedelta(minutes=60), []),
        (timedelta(minutes=60, seconds=1), ["the newest recovery point is 61 min old, allowed are 60 min"]),
        (timedelta(minutes=90), ["the newest recovery point is 90 min old, allowed are 60 min"]),
    ],
)
def test_a_recovery_point_is_too_old_a_moment_after_its_objective(age: timedelta, reasons: Sequence[str]) -> None:
    found = readiness_of([WEB], {WEB: NOW - age}, 60, NOW)
    assert (found.reasons, found.rpo_met) == (reasons, not reasons)


def test_a_clock_that_is_behind_the_clouds_loses_no_negative_time() -> None:
    assert readiness_of([WEB], {WEB: NOW + timedelta(seconds=2)}, 60, NOW).data_loss_s == 0


@given(ages_min=st.lists(st.none() | st.integers(0, 200), min_size=1, max_size=8), rpo_minutes=st.integers(1, 200))
def test_a_plan_is_ready_exactly_when_every_resource_has_a_backup_that_is_young_enough(
    ages_min: list[int | None], rpo_minutes: int
) -> None:
    resources = [UUID(int=index) for index in range(len(ages_min))]
    points = {
        resource: NOW - timedelta(minutes=age)
        for resource, age in zip(resources, ages_min, strict=True)
        if age is not None
    }
    found = readiness_of(resources, points, rpo_minutes, NOW)
    assert (not found.reasons) == all(age is not None and age <= rpo_minutes for age in ages_min)
    assert found.protected == len(points)
    assert (found.rpo_met is None) == (len(points) < len(resources))

"""Is this plan possible, when is its test due, and could it be carried out now?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.kit.errors import FieldError
from shared.messages.plans import BackupStrategy, RecoveryRegion, RegionReference, RetentionPolicy

DEFAULT_RTO_MINUTES: Mapping[str, int] = {
    "active_active": 2,
    "active_passive": 2,
    "warm_standby": 2,
    "pilot_light": 15,
    "backup_restore": 240,
}
"""Requirements C2: orchestration under 120 s, under 15 min, 240 min."""

TEST_INTERVALS: Mapping[str, timedelta] = {
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "quarterly": timedelta(days=91),
    "yearly": timedelta(days=365),
}

REMOVED = "removed"
TERMINATED = "terminated"
BACKED_UP_TYPES = ("compute",)
"""Resource types that recovery knows how to back up and restore."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan covers and where it recovers: the part of it that is checked against what is known."""

    primary: RegionReference
    regions: Sequence[RecoveryRegion]
    resources: Sequence[UUID]
    strategy: BackupStrategy


def problems_of(
    scope: Scope, resources: Mapping[UUID, Mapping[str, Any]], providers: Mapping[UUID, Mapping[str, Any]]
) -> list[FieldError]:
    """What is wrong with a plan's references. `resources` and `providers` are the organization's own, by id."""
    problems = _region_problems("/primary_region", scope.primary, providers)
    seen = {(scope.primary.provider_id, scope.primary.region_code)}
    for index, region in enumerate(scope.regions):
        pointer = f"/disaster_recovery_regions/{index}"
        problems += _region_problems(pointer, region, providers)
        if region.provider_id != scope.primary.provider_id:
            detail = "must be the primary region's provider: snapshots are copied within one account"
            problems.append(FieldError(f"{pointer}/provider_id", detail))
        if (region.provider_id, region.region_code) in seen:
            problems.append(FieldError(f"{pointer}/region_code", "is named twice or is the primary region"))
        seen.add((region.provider_id, region.region_code))
    for index, resource_id in enumerate(scope.resources):
        wrong = _resource_problem(scope, resource_id, index, resources.get(resource_id))
        if wrong is not None:
            problems.append(FieldError(f"/resources/{index}", wrong))
    if not scope.strategy.cross_region:
        detail = "must be true: without copies nothing can be restored in another region"
        problems.append(FieldError("/backup_strategy/cross_region", detail))
    return problems


def _region_problems(
    pointer: str, region: RegionReference, providers: Mapping[UUID, Mapping[str, Any]]
) -> list[FieldError]:
    provider = providers.get(region.provider_id)
    if provider is None or provider["status"] == REMOVED:
        return [FieldError(f"{pointer}/provider_id", "is no known provider")]
    if provider["regions"] and region.region_code not in provider["regions"]:
        return [FieldError(f"{pointer}/region_code", "is no region of this provider")]
    return []


def _resource_problem(scope: Scope, resource_id: UUID, index: int, known: Mapping[str, Any] | None) -> str | None:
    if resource_id in scope.resources[:index]:
        return "is named twice"
    if known is None or known["resource_status"] == TERMINATED:
        return "is no known resource"
    if (known["provider_id"], known["region"]) != (scope.primary.provider_id, scope.primary.region_code):
        return f"is in {known['region']}, not in the primary region of this plan"
    if known["resource_type"] not in BACKED_UP_TYPES:
        return f"is of type {known['resource_type']}; only {', '.join(BACKED_UP_TYPES)} can be recovered"
    return None


def retention_of(strategy: BackupStrategy) -> RetentionPolicy:
    """The policy of a strategy: generations when given, else its days (requirements C37)."""
    return strategy.retention or RetentionPolicy(kind="days", days=strategy.retention_days)


def next_test_due(frequency: str, last_tested: datetime | None, created_at: datetime) -> datetime | None:
    """When the next test is due; None for a plan that is tested by hand."""
    interval = TEST_INTERVALS.get(frequency)
    return None if interval is None else (last_tested or created_at) + interval


def success_rate(successes: int, total: int) -> float | None:
    """Percent, None when nothing has run: no drill is not a failed drill."""
    return None if total == 0 else round(100 * successes / total, 1)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Why a plan could not be carried out now, and how old what it would restore is."""

    reasons: list[str]
    protected: int
    recovery_point: datetime | None
    data_loss_s: float | None
    rpo_met: bool | None


def readiness_of(
    resources: Sequence[UUID], newest_points: Mapping[UUID, datetime], rpo_minutes: int, now: datetime
) -> Readiness:
    """`newest_points`: the newest recovery point in the recovery region of each resource that has one."""
    missing = [resource for resource in resources if resource not in newest_points]
    reasons = [f"resource {resource} has no usable backup in the recovery region" for resource in missing]
    if not resources:
        reasons.append("the plan lists no resources")
    if reasons:
        return Readiness(reasons, len(resources) - len(missing), None, None, None)
    point = min(newest_points[resource] for resource in resources)
    loss_s = max(0.0, (now - point).total_seconds())
    met = loss_s <= rpo_minutes * 60
    if not met:
        reasons.append(f"the newest recovery point is {math.ceil(loss_s / 60)} min old, allowed are {rpo_minutes} min")
    return Readiness(reasons, len(resources), point, loss_s, met)

"""From what does a drill restore, did what it restored stand the checks, and what does that say about the plan?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.messages.drills import Check, RestoredResource

TERMINATED = "terminated"
STILL_LISTED = "is terminated, but the plan still lists it"
RUNNING = "running"
WHOLE_MACHINE = "machine"
"""The kind of a backup's part that is an image of the whole machine."""

NOT_CHECKED = (
    "whether the applications on the restored machines start and answer",
    "whether the data inside the disks is consistent and complete (snapshots and images are crash-consistent)",
    "whether clients reach the restored machines: the drill keeps them isolated, and load balancers are not touched",
    "whether DNS would be switched",
    "how long a full-size failover takes when the disks' blocks are read for the first time",
)
"""What an isolated restore cannot show; said in every report."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume to be restored: the snapshot in the recovery region that it is made of."""

    device_name: str
    snapshot_id: str


@dataclass(frozen=True, slots=True)
class Target:
    """One resource to be restored: from copies of its volumes, or from an image of the whole machine."""

    resource_id: UUID
    resource_name: str | None
    instance_type: str | None
    backup_id: UUID | None
    recovery_point_at: datetime | None
    architecture: str | None
    root: Disk | None
    data_disks: tuple[Disk, ...]
    issues: tuple[str, ...]
    machine_image_id: str | None = None

    @property
    def is_restorable(self) -> bool:
        """Whether there is anything to restore it from."""
        return self.root is not None or self.machine_image_id is not None


def target_of(
    resource_id: UUID, known: Mapping[str, Any] | None, backup: Mapping[str, Any] | None, region: str
) -> Target:
    """Plan the restore of a resource from its newest usable backup (None: there is none) in a region.

    A resource that was terminated or changed since its backup is an issue of the report, and is restored all the same.
    """
    issues = _issues_of(resource_id, known, backup, region)
    machine: Mapping[str, Any] = (backup or {}).get("machine") or {}
    name = known["resource_name"] if known else (backup or {}).get("target_name")
    planned = (known["configuration"].get("instance_type") if known else None) or machine.get("instance_type")
    if backup is None:
        return Target(resource_id, name, planned, None, None, None, None, (), tuple(issues))
    root, data, image_id = None, [], None
    for snapshot in backup["snapshots"]:
        if snapshot.get("kind") == WHOLE_MACHINE:
            image_id = snapshot["copies"][region]
            continue
        device = snapshot["device_name"] or machine.get("root_device_name") or "/dev/xvda"
        disk = Disk(device, snapshot["copies"][region])
        if snapshot["is_root"]:
            root = disk
        else:
            data.append(disk)
    return Target(
        resource_id, name, planned, backup["id"], backup["recovery_point_at"], machine.get("architecture"),
        root, tuple(data), tuple(issues), image_id,
    )  # fmt: skip


def _issues_of(
    resource_id: UUID, known: Mapping[str, Any] | None, backup: Mapping[str, Any] | None, region: str
) -> list[str]:
    name = f"{known['resource_name']} ({resource_id})" if known else str(resource_id)
    issues = []
    if known is None:
        issues.append(f"resource {name} is not known any more")
    elif known["resource_status"] == TERMINATED:
        issues.append(f"resource {name} {STILL_LISTED}")
    if backup is None:
        issues.append(f"resource {name} has no usable backup in {region}")
        return issues
    planned = known["configuration"].get("instance_type") if known else None
    backed_up = (backup.get("machine") or {}).get("instance_type")
    if planned and backed_up and planned != backed_up:
        issues.append(f"resource {name} was changed from {backed_up} to {planned} since its backup")
    return issues


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a restored machine. `security_group_rules` counts what opens the group, None when unknown."""

    state: str
    region: str
    instance_type: str
    image: str
    tags: Mapping[str, str]
    security_groups: Sequence[str]
    security_group_rules: int | None
    snapshots: Mapping[str, str | None]
    """device name -> the snapshot that the volume was made of"""


def checks_of(
    target: Target, seen: Observed, *, region: str, security_group_id: str, tags: Mapping[str, str], root_device: str
) -> list[Check]:
    """Compare a restored machine with what the drill meant to make."""
    pairs = [
        ("the machine runs in the recovery region", f"{seen.state} in {seen.region}", f"{RUNNING} in {region}"),
        _origin(target, seen, root_device),
        *(
            (f"the volume {disk.device_name} is made from the copied snapshot",
             str(seen.snapshots.get(disk.device_name)), disk.snapshot_id)
            for disk in target.data_disks
        ),
        ("the instance type is the planned one", seen.instance_type, str(target.instance_type)),
        ("the drill's tags are on the machine", _shown({key: seen.tags.get(key) for key in tags}), _shown(tags)),
        ("the machine is alone in the drill's security group", ", ".join(seen.security_groups), security_group_id),
        ("no rule opens the security group", _rules(seen.security_group_rules), "0 rules"),
    ]  # fmt: skip
    return [
        Check(name=name, resource_id=target.resource_id, passed=observed == expected, observed=observed,
              expected=expected)
        for name, observed, expected in pairs
    ]  # fmt: skip


def _origin(target: Target, seen: Observed, root_device: str) -> tuple[str, str, str]:
    """What the machine was made of, and should have been."""
    if target.machine_image_id is not None:
        return "the machine is made from the copied image", seen.image, target.machine_image_id
    expected = target.root.snapshot_id if target.root else ""
    return "the root volume is made from the copied snapshot", str(seen.snapshots.get(root_device)), expected


def _rules(count: int | None) -> str:
    return "unknown" if count is None else f"{count} rules"


def _shown(tags: Mapping[str, str | None]) -> str:
    return ", ".join(f"{key}={tags[key]}" for key in sorted(tags))


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything a drill has seen. `verified_at` is None when nothing was verified to the end."""

    started_at: datetime
    verified_at: datetime | None
    rto_minutes: int
    rpo_minutes: int
    targets: Sequence[Target]
    checks: Sequence[Check]
    issues: Sequence[str]
    restored: Sequence[RestoredResource]
    not_cleaned: Sequence[str] = ()
    untested_regions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a drill has shown. `rto_s`, `rpo_s` are None when they could not be measured."""

    successful: bool
    rto_s: float | None
    rpo_s: float | None
    checks: list[Check]
    issues: list[str]
    recommendations: list[str]
    not_checked: list[str] = field(default_factory=list)


def report_of(measured: Measured) -> Report:
    """Judge a drill: it is successful when every resource was restored and every check passed.

    RTO is from the drill's acceptance to the last check; RPO from the oldest recovery point restored to the drill's
    start. Both are measured, never configured (requirements C2, C36).
    """
    complete = bool(measured.targets) and all(target.is_restorable for target in measured.targets)
    rto_s = _seconds(measured.started_at, measured.verified_at) if complete else None
    points = [target.recovery_point_at for target in measured.targets if target.recovery_point_at is not None]
    rpo_s = _seconds(min(points), measured.started_at) if complete and points else None
    checks = [
        *measured.checks,
        _objective("recovery time within its objective", rto_s, measured.rto_minutes),
        _objective("recovery point within its objective", rpo_s, measured.rpo_minutes),
        Check(name="everything that the drill made is removed", passed=not measured.not_cleaned,
              observed=", ".join(measured.not_cleaned) or "nothing left", expected="nothing left"),
    ]  # fmt: skip
    successful = complete and rto_s is not None and all(check.passed for check in checks)
    return Report(
        successful, rto_s, rpo_s, checks, _issues(measured, checks),
        _recommendations(measured, rto_s, rpo_s, successful=successful),
        [*NOT_CHECKED, *(f"recovery in {region}: a drill tests the plan's first recovery region"
                         for region in measured.untested_regions)],
    )  # fmt: skip


def _seconds(begin: datetime, end: datetime | None) -> float | None:
    """The cloud's clock and ours may differ by moments: a negative time is none."""
    return None if end is None else max(0.0, (end - begin).total_seconds())


def _objective(name: str, measured_s: float | None, limit_minutes: int) -> Check:
    passed = measured_s is not None and measured_s <= limit_minutes * 60
    observed = "not measured" if measured_s is None else f"{math.ceil(measured_s)} s"
    return Check(name=name, passed=passed, observed=observed, expected=f"at most {limit_minutes * 60} s")


def _issues(measured: Measured, checks: Sequence[Check]) -> list[str]:
    failed = [f"{check.name}: {check.observed}, expected {check.expected}" for check in checks if not check.passed]
    return [*(issue for target in measured.targets for issue in target.issues), *measured.issues, *failed]


def _recommendations(measured: Measured, rto_s: float | None, rpo_s: float | None, *, successful: bool) -> list[str]:
    """A drill that failed always recommends something (requirements, supplement on recovery)."""
    advice = []
    if not all(target.is_restorable for target in measured.targets):
        advice.append("Wait until each resource has a backup copied to the recovery region, or repair what stops it.")
    if any(issue.endswith(STILL_LISTED) for target in measured.targets for issue in target.issues):
        advice.append("Remove terminated resources from the plan.")
    if rto_s is not None and rto_s > measured.rto_minutes * 60:
        advice.append("Keep images or a warm standby in the recovery region, or allow a longer recovery time.")
    if rpo_s is not None and rpo_s > measured.rpo_minutes * 60:
        advice.append("Back up more often than the allowed data loss, or allow a larger one.")
    if measured.not_cleaned:
        advice.append("Remove by hand what the drill left in the recovery region: it costs money.")
    if not advice and not successful:
        advice.append("Repair what the issues name and repeat the drill.")
    return advice

"""A drill restores from what there is, compares what it sees with what it meant, and never says more than it measured."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recovery.domain.drills import (
    NOT_CHECKED,
    Disk,
    Measured,
    Observed,
    Report,
    Target,
    checks_of,
    report_of,
    target_of,
)
from shared.messages.drills import Check

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEB, DATABASE, BACKUP = UUID(int=1), UUID(int=2), UUID(int=3)
WEST = "us-west-2"
POINT = START - timedelta(minutes=20)
KNOWN: Mapping[str, Any] = {
    "resource_name": "web", "resource_status": "running", "configuration": {"instance_type": "t3.micro"},
}  # fmt: skip
BACKED_UP: Mapping[str, Any] = {
    "id": BACKUP,
    "target_name": "web as it was",
    "recovery_point_at": POINT,
    "machine": {"instance_type": "t3.micro", "architecture": "arm64", "root_device_name": "/dev/sda1"},
    "snapshots": [
        {"device_name": "/dev/sdb", "is_root": False, "copies": {WEST: "snap-data", "eu-north-1": "snap-other"}},
        {"device_name": "/dev/sda1", "is_root": True, "copies": {WEST: "snap-root"}},
    ],
}
TARGET = Target(
    WEB, "web", "t3.micro", BACKUP, POINT, "arm64", Disk("/dev/sda1", "snap-root"), (Disk("/dev/sdb", "snap-data"),), ()
)
LOST = Target(DATABASE, "database", "t3.micro", None, None, None, None, (), ())
TAGS = {"canopy:drill": "7", "canopy:token": "t"}
SEEN = Observed(
    state="running",
    region=WEST,
    instance_type="t3.micro",
    tags={**TAGS, "Name": "web"},
    security_groups=["sg-drill"],
    security_group_rules=0,
    image="ami-drill",
    snapshots={"/dev/sda1": "snap-root", "/dev/sdb": "snap-data"},
)
PASSED = Check(name="the machine runs", resource_id=WEB, passed=True, observed="running", expected="running")
FAILED = Check(name="the machine runs", resource_id=WEB, passed=False, observed="stopped", expected="running")
GOOD = Measured(
    started_at=START,
    verified_at=START + timedelta(minutes=3),
    rto_minutes=15,
    rpo_minutes=60,
    targets=[TARGET],
    checks=[PASSED],
    issues=[],
    restored=[],
)


def checks(seen: Observed, target: Target = TARGET) -> list[Check]:
    return checks_of(target, seen, region=WEST, security_group_id="sg-drill", tags=TAGS, root_device="/dev/sda1")


def failed(report: Report) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def test_a_target_is_restored_from_the_copies_in_the_recovery_region() -> None:
    assert target_of(WEB, KNOWN, BACKED_UP, WEST) == TARGET


def test_a_machine_that_was_captured_as_a_whole_is_restored_from_its_image() -> None:
    image = {"kind": "machine", "device_name": "/dev/vda", "is_root": True, "copies": {WEST: "image-1"}}
    found = target_of(WEB, KNOWN, {**BACKED_UP, "snapshots": [image]}, WEST)
    assert (found.machine_image_id, found.root, found.data_disks) == ("image-1", None, ())
    assert found.is_restorable
    seen = replace(SEEN, image="image-1", snapshots={})
    assert all(each.passed for each in checks(seen, found))
    wrong = [each.name for each in checks(replace(seen, image="image-2"), found) if not each.passed]
    assert wrong == ["the machine is made from the copied image"]


def test_a_resource_without_backup_has_nothing_to_be_restored_from_and_says_so() -> None:
    found = target_of(WEB, KNOWN, None, WEST)
    assert (found.root, found.data_disks, found.backup_id, found.recovery_point_at) == (None, (), None, None)
    assert found.issues == (f"resource web ({WEB}) has no usable backup in {WEST}",)


def test_a_terminated_resource_is_an_issue_and_is_restored_all_the_same() -> None:
    found = target_of(WEB, {**KNOWN, "resource_status": "terminated"}, BACKED_UP, WEST)
    assert found == replace(TARGET, issues=(f"resource web ({WEB}) is terminated, but the plan still lists it",))


def test_a_resource_that_nobody_knows_is_restored_as_its_backup_describes_it() -> None:
    found = target_of(WEB, None, BACKED_UP, WEST)
    assert (found.resource_name, found.instance_type, found.root) == ("web as it was", "t3.micro", TARGET.root)
    assert found.issues == (f"resource {WEB} is not known any more",)


def test_a_resource_that_nobody_knows_and_nothing_backs_up_has_two_issues() -> None:
    assert len(target_of(WEB, None, None, WEST).issues) == 2


def test_a_changed_instance_type_is_an_issue_and_the_planned_one_is_restored() -> None:
    found = target_of(WEB, {**KNOWN, "configuration": {"instance_type": "m5.large"}}, BACKED_UP, WEST)
    assert found.instance_type == "m5.large"
    assert found.issues == (f"resource web ({WEB}) was changed from t3.micro to m5.large since its backup",)


@pytest.mark.parametrize("machine", [None, {}])
def test_what_a_backup_does_not_tell_is_unknown(machine: Mapping[str, Any] | None) -> None:
    snapshot = {"device_name": None, "is_root": True, "copies": {WEST: "snap-root"}}
    backup = {**BACKED_UP, "machine": machine, "snapshots": [snapshot]}
    found = target_of(WEB, {**KNOWN, "configuration": {}}, backup, WEST)
    assert (found.instance_type, found.architecture) == (None, None)
    assert found.root == Disk("/dev/xvda", "snap-root")


def test_a_backup_without_a_root_volume_restores_nothing() -> None:
    assert target_of(WEB, KNOWN, {**BACKED_UP, "snapshots": []}, WEST).root is None


def test_a_machine_that_is_as_it_was_meant_passes_every_check() -> None:
    found = checks(SEEN)
    assert all(check.passed for check in found)
    assert {check.resource_id for check in found} == {WEB}
    assert len({check.name for check in found}) == len(found) == 7


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"state": "stopped"}, "the machine runs in the recovery region"),
        ({"region": "us-east-1"}, "the machine runs in the recovery region"),
        ({"instance_type": "t3.nano"}, "the instance type is the planned one"),
        ({"tags": {"canopy:drill": "7"}}, "the drill's tags are on the machine"),
        ({"tags": {**TAGS, "canopy:drill": "8"}}, "the drill's tags are on the machine"),
        ({"security_groups": []}, "the machine is alone in the drill's security group"),
        ({"security_groups": ["sg-drill", "sg-open"]}, "the machine is alone in the drill's security group"),
        ({"security_group_rules": 1}, "no rule opens the security group"),
        ({"security_group_rules": None}, "no rule opens the security group"),
        (
            {"snapshots": {"/dev/sda1": "snap-old", "/dev/sdb": "snap-data"}},
            "the root volume is made from the copied snapshot",
        ),
        (
            {"snapshots": {"/dev/sdb": "snap-data"}},
            "the root volume is made from the copied snapshot",
        ),
        (
            {"snapshots": {"/dev/sda1": "snap-root", "/dev/sdb": None}},
            "the volume /dev/sdb is made from the copied snapshot",
        ),
    ],
)
def test_each_difference_fails_its_own_check_and_no_other(change: Mapping[str, Any], broken: str) -> None:
    assert [check.name for check in checks(replace(SEEN, **change)) if not check.passed] == [broken]


def test_a_root_volume_of_unknown_origin_does_not_pass() -> None:
    found = checks(replace(SEEN, snapshots={}), replace(TARGET, root=None, data_disks=()))
    assert "the root volume is made from the copied snapshot" in [each.name for each in found if not each.passed]


def test_a_good_drill_is_successful_and_tells_what_it_measured() -> None:
    report = report_of(GOOD)
    assert (report.successful, report.rto_s, report.rpo_s) == (True, 180, 1200)
    assert (report.issues, report.recommendations) == ([], [])
    assert tuple(report.not_checked) == NOT_CHECKED


def test_regions_that_were_not_tested_are_named() -> None:
    report = report_of(replace(GOOD, untested_regions=["eu-north-1"]))
    assert report.successful
    assert [each for each in report.not_checked if "eu-north-1" in each] == report.not_checked[len(NOT_CHECKED) :]
    assert len(report.not_checked) == len(NOT_CHECKED) + 1


@pytest.mark.parametrize(
    ("met", "missed", "advice"),
    [
        (
            replace(GOOD, rto_minutes=3),
            replace(GOOD, rto_minutes=3, verified_at=START + timedelta(seconds=181)),
            "Keep images or a warm standby in the recovery region, or allow a longer recovery time.",
        ),
        (
            replace(GOOD, rpo_minutes=20),
            replace(GOOD, rpo_minutes=20, started_at=START + timedelta(seconds=1)),
            "Back up more often than the allowed data loss, or allow a larger one.",
        ),
    ],
)
def test_an_objective_is_met_to_the_second(met: Measured, missed: Measured, advice: str) -> None:
    assert (report_of(met).successful, report_of(met).recommendations) == (True, [])
    report = report_of(missed)
    assert not report.successful
    assert len(report.issues) == 1
    assert report.recommendations == [advice]


def test_an_objective_that_is_missed_by_less_than_a_second_does_not_read_as_met() -> None:
    report = report_of(replace(GOOD, rto_minutes=3, verified_at=START + timedelta(seconds=180.2)))
    assert report.issues == ["recovery time within its objective: 181 s, expected at most 180 s"]


def test_the_data_loss_is_that_of_the_oldest_backup() -> None:
    older = replace(TARGET, resource_id=DATABASE, recovery_point_at=START - timedelta(minutes=50))
    assert report_of(replace(GOOD, targets=[TARGET, older])).rpo_s == 3000


def test_times_of_two_clocks_are_never_negative() -> None:
    ahead = replace(TARGET, recovery_point_at=START + timedelta(seconds=2))
    report = report_of(replace(GOOD, targets=[ahead], verified_at=START - timedelta(seconds=1)))
    assert (report.rto_s, report.rpo_s) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"targets": [], "checks": []},
        {"targets": []},
        {"targets": [TARGET, LOST]},
        {"verified_at": None},
        {"checks": [FAILED]},
        {"checks": [PASSED, FAILED]},
        {"not_cleaned": ["image t in us-west-2"]},
        {"targets": [], "checks": [], "verified_at": None, "issues": ["security group: no permission"]},
        {"checks": [], "verified_at": None, "issues": ["image: the cloud says no"]},
    ],
)
def test_a_drill_that_did_not_show_recovery_is_not_successful_and_recommends_something(
    change: Mapping[str, Any],
) -> None:
    """Requirements, supplement on recovery: recommendations also on failure."""
    report = report_of(replace(GOOD, **change))
    assert not report.successful
    assert report.issues
    assert report.recommendations


@pytest.mark.parametrize("change", [{"targets": []}, {"targets": [TARGET, LOST]}, {"verified_at": None}])
def test_what_was_not_measured_is_unknown_and_meets_no_objective(change: Mapping[str, Any]) -> None:
    report = report_of(replace(GOOD, **change))
    assert report.rto_s is None
    objective = next(check for check in report.checks if check.name == "recovery time within its objective")
    assert (objective.passed, objective.observed) == (False, "not measured")


def test_everything_that_went_wrong_is_an_issue() -> None:
    wrong = replace(TARGET, issues=("resource web is not known any more",))
    report = report_of(
        replace(GOOD, targets=[wrong], issues=["image: timed out"], checks=[FAILED], not_cleaned=["sg 1"])
    )
    assert report.issues == [
        "resource web is not known any more",
        "image: timed out",
        "the machine runs: stopped, expected running",
        "everything that the drill made is removed: sg 1, expected nothing left",
    ]
    assert failed(report) == ["the machine runs", "everything that the drill made is removed"]


@pytest.mark.parametrize(("status", "advised"), [("terminated", 1), ("running", 0)])
def test_removing_terminated_resources_is_advised_for_their_status_and_not_for_their_name(
    status: str, advised: int
) -> None:
    known = {**KNOWN, "resource_name": "terminated-orders", "resource_status": status}
    report = report_of(replace(GOOD, targets=[target_of(WEB, known, None, WEST)]))
    assert report.recommendations.count("Remove terminated resources from the plan.") == advised


MEASURED = st.builds(
    Measured,
    started_at=st.just(START),
    verified_at=st.none() | st.integers(0, 7200).map(lambda seconds: START + timedelta(seconds=seconds)),
    rto_minutes=st.integers(1, 120),
    rpo_minutes=st.integers(1, 120),
    targets=st.lists(st.sampled_from([TARGET, LOST]), max_size=3),
    checks=st.lists(st.sampled_from([PASSED, FAILED]), max_size=3),
    issues=st.just([]),
    restored=st.just([]),
    not_cleaned=st.lists(st.just("image"), max_size=1),
)


@given(measured=MEASURED)
def test_a_drill_is_successful_exactly_when_it_has_no_failed_check_and_nothing_is_unknown(measured: Measured) -> None:
    report = report_of(measured)
    known: Sequence[float | None] = (report.rto_s, report.rpo_s)
    assert report.successful == (not failed(report) and None not in known)
    assert report.successful or report.recommendations

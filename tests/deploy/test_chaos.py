"""Does a campaign notice what it looks for? Its comparisons and its plans, without a deployment."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.chaos.clouds import CLOUDS
from deploy.chaos.crashes import Boundary, Crash, Plan
from deploy.chaos.fleets import ALL_OR_NOTHING, BEST_EFFORT, Fleet
from deploy.chaos.ledger import compare_held, compare_machines, compare_snapshots
from deploy.chaos.records import Noun, compare_crossings, compare_events
from deploy.holdings import Held

MACHINE = {"id": "i-1", "state": "running", "client_token": "t-1"}
CREATED = {"action": "RunInstances", "repeated": False}
FAVOURITES = ("create machine", "stop machine")
RESOURCE = {"id": "r-1", "resource_id": "i-1", "resource_status": "running"}


def test_one_running_machine_of_one_running_resource_is_right() -> None:
    assert compare_machines([MACHINE], [CREATED, {**CREATED, "repeated": True}], [RESOURCE], []).findings == []


@pytest.mark.parametrize(
    ("machines", "resources", "drills", "found"),
    [
        pytest.param([MACHINE, {**MACHINE, "id": "i-2"}], [RESOURCE], [], (1, 1, 0), id="made twice"),
        pytest.param([MACHINE, {**MACHINE, "id": "i-2", "client_token": "t-2"}], [RESOURCE], [], (0, 1, 0),
                     id="belongs to nothing"),
        pytest.param([{**MACHINE, "state": "terminated"}], [RESOURCE], [], (0, 0, 1), id="does not run"),
        pytest.param([MACHINE], [{**RESOURCE, "resource_status": "terminated"}], [], (0, 1, 0), id="lives on"),
        pytest.param([MACHINE], [], [{"restored": [{"machine_id": "i-1"}]}], (0, 1, 0), id="left by a drill"),
    ],
)  # fmt: skip
def test_a_machine_that_should_not_be_is_found(
    machines: list[Any], resources: list[Any], drills: list[Any], found: tuple[int, int, int]
) -> None:
    compared = compare_machines(machines, [CREATED] * len(machines), resources, drills)
    assert (compared.duplicates, compared.orphans, compared.missing) == found
    assert compared.findings


def test_a_creation_that_the_list_does_not_show_is_found() -> None:
    assert compare_machines([MACHINE], [CREATED, CREATED], [RESOURCE], []).findings


def test_what_refused_and_undone_creates_made_may_be_gone_but_not_more() -> None:
    """Linode forgets what was destroyed: only its ledger knows that it was ever there."""
    linode = CLOUDS["linode"]
    machine = {"id": "7", "state": "running", "token": "t-1", "region": linode.region}
    made = {"action": linode.creation, "repeated": False, "region": linode.region}
    row = {**RESOURCE, "resource_id": "7"}
    undone = {"id": "r-2", "resource_id": None, "resource_status": "terminated"}
    refused = {**made, "region": linode.refusing}
    assert compare_machines([machine], [made, refused, refused], [row], [], linode).findings == []
    assert compare_machines([machine], [made, made], [row, undone], [], linode).findings == []
    assert compare_machines([machine], [made, made], [row], [], linode).findings
    assert compare_machines([{**machine, "region": linode.refusing}], [refused], [], [], linode).orphans == 1
    kept_and_removed = {**RESOURCE, "id": "r-3", "resource_id": "8", "resource_status": "terminated"}
    rows = [row, {**kept_and_removed, "region": linode.refusing}]
    assert compare_machines([machine], [made, refused], rows, [], linode).findings == []
    assert compare_machines([machine], [made], [row, kept_and_removed], [], linode).findings


def test_what_a_cloud_holds_otherwise_than_the_rows_say_is_found() -> None:
    """A balancer and its address have one token; whatever of them is there once more, less or for nobody is told."""
    rows = [{"id": f"r-{n}", "token": f"t-{n}", "resource_id": f"lb-{n}", "resource_subtype": "balancer",
             "resource_status": "running"} for n in range(3)]  # fmt: skip
    gone = {**rows[0], "id": "r-9", "token": "t-9", "resource_status": "terminated"}
    held = [Held("gcp", kind, f"{kind}-{n}", f"t-{n}") for n in range(3) for kind in ("lb", "address")]
    assert compare_held(held, [*rows, gone]).findings == []
    for what, things, known, found in (
        ("in no row", held, rows[:2], (0, 2, 0)),
        ("of what is gone", [*held, Held("gcp", "address", "address-9", "t-9")], [*rows, gone], (0, 1, 0)),
        ("made twice", [*held, Held("gcp", "lb", "lb-7", "t-0")], rows, (1, 0, 1)),
        ("a lost piece", held[:-1], rows, (0, 0, 1)),
        ("another one with its token", [Held("gcp", "lb", "other", "t-0"), *held[1:]], rows, (0, 0, 1)),
        ("all of it lost", held[2:], rows, (0, 0, 2)),
    ):
        compared = compare_held(things, known)
        assert (compared.duplicates, compared.orphans, compared.missing) == found, (what, compared.findings)


def test_a_fleet_that_ends_otherwise_than_its_policy_says_is_found() -> None:
    every, best = Fleet("o-1", ALL_OR_NOTHING, 5, planted=True), Fleet("o-2", BEST_EFFORT, 5, planted=True)
    nothing = ended("failed", "rolled_back", placed=0, failed=1, removed=4)
    rest = ended("succeeded", None, placed=4, failed=1)
    assert every.wrong(nothing) == best.wrong(rest) == []
    assert Fleet("o-3", ALL_OR_NOTHING, 5, planted=False).wrong(ended("succeeded", None, placed=5)) == []
    for fleet, end in (
        (every, rest),
        (every, ended("failed", "rollback_incomplete", placed=0, failed=1, removed=3)),
        (every, ended("failed", "lost", placed=0, failed=1, removed=4)),
        (best, nothing),
        (best, ended("succeeded", None, placed=3, failed=2)),
    ):
        assert fleet.wrong(end), (fleet, end)


def ended(status: str, code: str | None, **counts: int) -> dict[str, Any]:
    result = {"placed": 0, "failed": 0, "removed": 0, "not_removed": 0} | counts
    return {"status": status, "error": None if code is None else {"code": code}, "result": result}


def test_a_drill_whose_machine_was_never_made_left_none() -> None:
    assert compare_machines([], [], [], [{"restored": [{"machine_id": None}]}]).findings == []


def test_snapshots_without_backup_and_backups_without_snapshot_are_found() -> None:
    backup = {"id": "b-1", "status": "completed", "snapshots": [{"snapshot_id": "s-1", "copies": {"us-west-2": "s-2"}}]}
    assert compare_snapshots([{"id": "s-1"}, {"id": "s-2"}], [backup]) == []
    assert compare_snapshots([{"id": "s-1"}, {"id": "s-2"}, {"id": "s-3"}], [backup]) == [
        "snapshot s-3 belongs to no backup"
    ]
    assert compare_snapshots([{"id": "s-1"}], [backup]) == ["backup b-1 has lost s-2"]
    assert len(compare_snapshots([{"id": "s-1"}, {"id": "s-2"}], [backup, {**backup, "id": "b-2"}])) == 2


@pytest.mark.parametrize("versions", [[1, 3], [1, 2], [1, 3, 2], [1, 2, 2, 3]], ids=["lost", "short", "order", "twice"])
def test_events_that_are_lost_repeated_or_out_of_order_are_found(versions: list[int]) -> None:
    resource = Noun("resource", "provisioner", "cloud_resources", "resource")
    assert compare_events(told([1, 2, 3]), resource, {"r-1": 3}) == []
    assert len(compare_events(told(versions), resource, {"r-1": 3})) == 1


def test_of_what_counts_silent_versions_the_last_one_has_to_be_told_and_none_twice() -> None:
    resource = Noun("resource", "provisioner", "cloud_resources", "resource", is_gapless=False)
    assert compare_events(told([1, 3]), resource, {"r-1": 3}) == []
    for versions in ([1, 2], [3, 1], [1, 3, 3], []):
        assert len(compare_events(told(versions), resource, {"r-1": 3})) == 1


def told(versions: list[int]) -> list[dict[str, Any]]:
    another = {"type": "resource.health_changed.v1", "aggregate_id": "r-1", "aggregate_version": 9}
    return [
        another,
        *(
            {"type": "resource.updated.v1", "aggregate_id": "r-1", "aggregate_version": version, "resource": {}}
            for version in versions
        ),
    ]


def test_a_crossed_threshold_that_is_told_twice_or_never_is_found() -> None:
    begun = datetime(2026, 11, 1, tzinfo=UTC)
    event = {"type": "budget.exceeded.v1", "budget_id": "b-1", "revision": 1, "period_start": begun.isoformat(),
             "basis": "actual", "threshold_percent": 50.0}  # fmt: skip
    row = ("b-1", 1, begun, "actual", Decimal("50.000"))
    assert compare_crossings([event], [row]) == []
    for events, rows in (([event, event], [row]), ([], [row]), ([event], [])):
        assert len(compare_crossings(events, rows)) == 1


def test_a_life_that_waits_for_a_step_that_does_not_come_ends_at_another() -> None:
    """A pattern is about every step of that name; what is left of `patience` counts for its boundary alone."""
    plan = Plan("create *", Boundary.AFTER_CALL, 1, patience=2)
    assert plan.is_about("create bucket", Boundary.AFTER_CALL)
    assert not plan.is_about("create bucket", Boundary.BEFORE_CALL)
    assert not plan.is_about("note bucket", Boundary.AFTER_CALL)
    crash = Crash(plan, Path("never-written"))
    passes = [("note bucket", Boundary.BEFORE_CALL)] * 9 + [("note bucket", Boundary.AFTER_CALL)] * 2
    assert [crash.ends_at(*each) for each in passes] == [*[False] * 10, True]


def test_the_same_seed_draws_the_same_ends_and_all_boundaries_come() -> None:
    def draw() -> list[Plan]:
        return [Plan.draw(random.Random(f"7/{life}"), FAVOURITES) for life in range(50)]

    assert draw() == draw()
    assert {plan.boundary for plan in draw()} == set(Boundary)
    assert {plan.step for plan in draw()} == {None, *FAVOURITES}

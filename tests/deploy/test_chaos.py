"""Does a campaign notice what it looks for? Its comparisons and its plans, without a deployment."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from deploy.chaos.crashes import Boundary, Plan
from deploy.chaos.ledger import compare_machines, compare_snapshots
from deploy.chaos.records import Noun, compare_crossings, compare_events

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


def test_the_same_seed_draws_the_same_ends_and_all_boundaries_come() -> None:
    def draw() -> list[Plan]:
        return [Plan.draw(random.Random(f"7/{life}"), FAVOURITES) for life in range(50)]

    assert draw() == draw()
    assert {plan.boundary for plan in draw()} == set(Boundary)
    assert {plan.step for plan in draw()} == {None, *FAVOURITES}

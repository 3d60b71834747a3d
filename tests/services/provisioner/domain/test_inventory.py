"""What a thing that was seen, or not seen, means for its row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provisioner.domain.inventory import (
    DISCOVERED,
    Known,
    Rows,
    Verdict,
    difference,
    discovery,
    event_of,
    vanished,
    verdict,
)
from services.provisioner.domain.resources import STARTING, TERMINATED
from services.provisioner.domain.sightings import Found, of_machine, of_machine_image, of_snapshot, of_volume
from shared.clouds.models import (
    TOKEN_TAG,
    AttachedVolume,
    ImageState,
    Machine,
    MachineState,
    Snapshot,
    SnapshotState,
    Volume,
    VolumeState,
)
from shared.clouds.restoring import MachineImage
from shared.kit.ids import new_id
from shared.messages.resources import Resource

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTLE = timedelta(seconds=60)
OLD = NOW - timedelta(hours=1)

texts = st.sampled_from(["a", "b", "c"])
labels = st.dictionaries(st.sampled_from(["Name", "environment", "Project", "team", "aws:made-by"]),
                         st.sampled_from(["a", "prod", "staging"]))  # fmt: skip
machines = st.builds(
    Machine,
    id=st.just("i-1"),
    state=st.sampled_from(MachineState),
    instance_type=st.sampled_from(["t3.micro", "m5.2xlarge", "odd"]),
    image=texts,
    region=st.just("us-east-1"),
    zone=st.none() | texts,
    tags=labels,
    private_ip=st.none() | texts,
    public_ip=st.none() | texts,
    subnet_id=st.none() | texts,
    security_groups=st.lists(texts, unique=True).map(tuple),
    volumes=st.lists(st.builds(AttachedVolume, texts, texts), unique_by=lambda each: each.volume_id).map(tuple),
)
volumes = st.builds(
    Volume,
    id=st.just("i-1"),
    state=st.sampled_from(VolumeState),
    size_gib=st.integers(1, 3),
    region=st.just("us-east-1"),
    zone=texts,
    tags=labels,
    snapshot_id=st.none() | texts,
    machine_id=st.none() | texts,
)
living_machines = machines.filter(lambda each: not of_machine(each).is_leaving)
living_volumes = volumes.filter(lambda each: not of_volume(each).is_leaving)
"""What can have been adopted."""
things = machines.map(of_machine) | volumes.map(of_volume)


def machine(**changes: Any) -> Found:
    values = {
        "id": "i-1", "state": MachineState.RUNNING, "instance_type": "t3.micro", "image": "ami-1",
        "region": "us-east-1", "zone": "us-east-1a", "tags": {"Name": "web"},
    }  # fmt: skip
    return of_machine(Machine(**{**values, **changes}))


def known(**changes: Any) -> Known:
    row = Known(new_id(), "i-1", None, "running", is_busy=False, updated_at=OLD, observed={})
    return replace(row, **changes)


def adopted(found: Found) -> Resource:
    """The row of a thing that was adopted."""
    made = discovery(found)
    return Resource(
        id=new_id(), organization_id=new_id(), provider_id=new_id(), provider_name="aws", region="us-east-1",
        resource_type="compute", resource_subtype="ec2_instance", tags=made.tags, created_at=OLD, updated_at=OLD,
        version=1, **made.fields,
    )  # fmt: skip


def provisioned(**changes: Any) -> Resource:
    """A row of ours that is as `machine()`."""
    resource = adopted(machine())
    own = {"configuration": {"instance_type": "t3.micro", "image": None, "monitoring": "basic"},
           "origin": "provisioned", "project": "photos", "environment": "staging"}  # fmt: skip
    return resource.model_copy(update={**own, **changes})


@given(things)
def test_what_leaves_is_not_adopted_and_what_stays_is(found: Found) -> None:
    assert verdict(found, None, NOW, SETTLE) is (Verdict.IGNORE if found.is_leaving else Verdict.ADOPT)


@given(things, st.sampled_from(["running", "stopped", "error", "provisioning", "terminated"]),
       st.booleans(), st.integers(-7200, 60))  # fmt: skip
def test_a_row_is_compared_only_when_nobody_works_on_it_and_it_is_older_than_the_list(
    found: Found, status: str, is_busy: Any, changed_s: int
) -> None:
    row = known(status=status, is_busy=is_busy, updated_at=NOW + timedelta(seconds=changed_s))
    decided = verdict(found, row, NOW, SETTLE)
    settled = changed_s <= -60
    if status == TERMINATED:
        assert decided is (Verdict.ADOPT if settled and not found.is_leaving else Verdict.IGNORE)
    else:
        assert decided is (Verdict.COMPARE if settled and not is_busy else Verdict.LEAVE)


def test_a_machine_of_ours_is_known_by_its_token_until_its_id_is() -> None:
    ours = machine(tags={TOKEN_TAG: "t-1"})
    made = known(resource_id=None, token="t-1")
    assert Rows([made]).of(ours) == made
    assert Rows([known(resource_id="i-2", token="t-1")]).of(ours) is None
    living, dead = known(), known(status=TERMINATED)
    assert Rows([dead, living]).of(ours) == Rows([living, dead]).of(ours) == living
    assert Rows([dead, made]).of(ours) == made
    assert Rows([dead]).of(ours) == dead


@given(living_machines.map(of_machine) | living_volumes.map(of_volume))
def test_a_thing_is_as_it_was_adopted(found: Found) -> None:
    resource = adopted(found)
    same = difference(resource, found.observed, found, NOW)
    assert (same.fields, same.changes) == ({}, {})
    assert resource.origin == DISCOVERED


@given(st.tuples(living_machines, machines) | st.tuples(living_volumes, volumes))
def test_a_difference_taken_over_is_none_any_more(pair: tuple[Any, Any]) -> None:
    before, after = (of_machine(each) if isinstance(each, Machine) else of_volume(each) for each in pair)
    resource = adopted(before)
    found = difference(resource, before.observed, after, NOW)
    changed = resource.model_copy(update=found.fields)
    again = difference(changed, after.observed, after, NOW)
    assert again.changes == {}
    assert again.fields == {}
    assert bool(found.fields or found.changes) or before.observed == after.observed or before.tags != after.tags


@given(living_machines, machines)
def test_what_is_called_equal_has_no_difference(before: Machine, after: Machine) -> None:
    one, other = of_machine(before), of_machine(after)
    resource = adopted(one)
    row = known(
        status=resource.resource_status, observed=one.observed, zone=resource.availability_zone,
        private_ip=resource.private_ip, public_ip=resource.public_ip, instance_type=one.instance_type,
    )  # fmt: skip
    told = difference(resource, one.observed, other, NOW)
    if row.is_as(other):
        assert (told.fields, told.changes) == ({}, {})


def test_the_first_look_at_our_own_machine_is_no_news() -> None:
    told = difference(provisioned(), {}, machine(), NOW)
    assert (told.fields, told.changes) == ({}, {})


def test_what_was_asked_for_stays_but_for_the_type() -> None:
    told = difference(provisioned(), {}, machine(instance_type="m5.large", image="ami-2"), NOW)
    assert told.fields["configuration"] == {"instance_type": "m5.large", "image": None, "monitoring": "basic"}
    assert told.fields["size_category"] == "large"
    assert told.changes.keys() == {"instance_type"}


def test_a_wish_on_its_way_to_the_cloud_is_not_undone_by_what_is_still_there() -> None:
    before = machine(tags={"Name": "web", "team": "photos", "week": "1"})
    after = machine(tags={"Name": "web", "team": "photos", "week": "2"})
    row = provisioned(resource_name="renamed", tags={"team": "music", "week": "1"})
    told = difference(row, before.observed, after, NOW)
    assert told.fields == {"tags": {"team": "music", "week": "2"}}


def test_labels_follow_the_cloud_where_nobody_changed_them_here() -> None:
    before = machine(tags={"Name": "web", "team": "photos"})
    after = machine(tags={"Name": "web-2", "Environment": "dev", "Project": "party"})
    told = difference(adopted(before), before.observed, after, NOW)
    assert (told.fields["resource_name"], told.fields["environment"], told.fields["project"], told.fields["tags"]) == (
        "web-2", "development", "party", {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        (MachineState.PENDING, "provisioning", None),
        (MachineState.PENDING, "stopped", STARTING),
        (MachineState.STOPPED, "running", "stopped"),
        (MachineState.RUNNING, "error", "running"),
        (MachineState.SHUTTING_DOWN, "running", "stopping"),
        (MachineState.TERMINATED, "running", "terminated"),
    ],
)
def test_the_status_follows_the_state(state: MachineState, before: str, after: str | None) -> None:
    told = difference(provisioned(resource_status=before), {}, machine(state=state), NOW)
    assert told.status == after


def test_what_vanished_has_a_reason_and_no_address() -> None:
    told = vanished(provisioned(private_ip="10.0.0.1"), NOW)
    assert told.fields["terminated_at"] == NOW
    assert told.fields["private_ip"] is None
    assert "found it no more" in told.fields["status_reason"]
    assert told.changes["resource_status"].after == "terminated"


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ("stopped", "running", "started"),
        ("running", "stopped", "stopped"),
        ("running", "terminated", "terminated"),
        ("running", "stopping", "updated"),
        ("running", "error", "failed"),
        ("running", None, "updated"),
    ],
)
def test_a_change_is_told_by_its_event(before: str, after: str | None, event: str) -> None:
    assert event_of(before, after) == event


def test_a_snapshot_is_available_and_a_copy_of_its_volume() -> None:
    found = of_snapshot(Snapshot("snap-1", SnapshotState.COMPLETED, "us-east-1", "vol-1", 8, OLD, {TOKEN_TAG: "t"}))
    assert (found.status, found.token, found.tags) == ("available", "t", {})
    assert [(edge.relation, edge.target, edge.hard) for edge in found.edges] == [("copy_of", "volume:vol-1", False)]


def test_an_image_of_a_machine_is_a_copy_of_it() -> None:
    image = MachineImage("42", ImageState.AVAILABLE, "global", "7", 25, OLD, {TOKEN_TAG: "t", "Name": "x"})
    found = of_machine_image(image)
    assert (found.status, found.token, found.tags) == ("available", "t", {"Name": "x"})
    assert [(edge.relation, edge.target, edge.hard) for edge in found.edges] == [("copy_of", "machine:7", False)]
    assert of_machine_image(replace(image, machine_id=None, state=ImageState.PENDING)).edges == ()


def test_what_no_database_takes_is_left_out_of_a_tag() -> None:
    assert machine(tags={"no\x00te": "a\ud800b", "Name": "結婚式"}).tags == {"Name": "結婚式", "note": "a?b"}

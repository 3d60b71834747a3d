"""Whatever is done to an audit log, verification points at the first entry it was done to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.audit import (
    AuditEntry,
    ChainedEntry,
    ChainHead,
    append,
    checkpoint_is_genuine,
    genesis,
    sign_checkpoint,
    verify,
)
from services.gateway.domain.signatures import SigningKeys
from shared.messages.audit import AuditRecorded

NOW = datetime(2026, 11, 20, 16, 0, 0, 5, tzinfo=UTC)
ORGANIZATION = UUID("01980000-0000-7000-8000-00000000000a")
START = genesis(ORGANIZATION)
KEYS = SigningKeys("1", {"1": b"c" * 32})
LENGTH = 8


def entry(number: int, **changes) -> AuditEntry:
    values = {
        "id": UUID(int=number),
        "time": NOW + timedelta(seconds=number),
        "organization": ORGANIZATION,
        "actor": f"user:{UUID(int=7)}",
        "action": "resource.start",
        "target_type": "resource",
        "target_id": UUID(int=100 + number),
        "target_name": f"web-{number}",
        "details": {"monthly_cost": 12.5, "tags": {"team": "photos"}},
        "correlation_id": UUID(int=200 + number),
    }
    return AuditEntry(**{**values, **changes})


def chain(length: int = LENGTH, *, first: int = 1, head: ChainHead = START) -> list[ChainedEntry]:
    entries: list[ChainedEntry] = []
    for number in range(first, first + length):
        entries.append(append(entries[-1].head if entries else head, entry(number)))
    return entries


CHAIN = chain()
positions = st.integers(0, LENGTH - 1)
tampered_fields = st.sampled_from(
    [
        {"id": UUID(int=999)},
        {"time": NOW + timedelta(microseconds=999)},
        {"organization": UUID(int=999)},
        {"actor": f"user:{UUID(int=999)}"},
        {"action": "resource.stop"},
        {"target_type": "provider"},
        {"target_id": UUID(int=999)},
        {"target_name": None},
        {"details": {}},
        {"details": {"not json": float("nan")}},
        {"correlation_id": UUID(int=999)},
    ]
)


def test_an_untouched_chain_is_valid():
    verification = verify(CHAIN, START)
    assert verification.valid
    assert verification.entries == LENGTH
    assert verify([], START).valid


@given(position=positions, change=tampered_fields)
def test_a_changed_entry_is_the_first_invalid_one(position, change):
    touched = list(CHAIN)
    touched[position] = replace(touched[position], entry=replace(touched[position].entry, **change))
    verification = verify(touched, START)
    assert verification.first_invalid == touched[position].entry.id
    assert (verification.entries, verification.valid) == (position, False)


@given(position=positions, change=tampered_fields.filter(lambda change: "not json" not in change.get("details", {})))
def test_an_entry_whose_own_hash_was_made_anew_breaks_the_next(position, change):
    touched = list(CHAIN)
    before = touched[position - 1].head if position else START
    touched[position] = append(before, replace(touched[position].entry, **change))
    verification = verify(touched, START)
    if position == LENGTH - 1:
        assert verification.valid  # nothing follows it: this is what checkpoints are for
    else:
        assert verification.first_invalid == touched[position + 1].entry.id


@given(position=st.integers(0, LENGTH - 2))
def test_a_removed_entry_is_found_at_the_one_that_followed(position):
    touched = CHAIN[:position] + CHAIN[position + 1 :]
    assert verify(touched, START).first_invalid == CHAIN[position + 1].entry.id


@given(first=positions, second=positions)
def test_two_swapped_entries_are_found_at_the_first(first, second):
    touched = list(CHAIN)
    touched[first], touched[second] = touched[second], touched[first]
    verification = verify(touched, START)
    assert verification.first_invalid == (None if first == second else touched[min(first, second)].entry.id)


@given(position=positions)
def test_an_inserted_entry_is_found(position):
    before = CHAIN[position - 1].head if position else START
    touched = [*CHAIN[:position], append(before, entry(50)), *CHAIN[position:]]
    assert verify(touched, START).first_invalid == CHAIN[position].entry.id


def test_the_chain_of_another_organization_does_not_verify():
    assert verify(CHAIN, genesis(UUID(int=9))).first_invalid == CHAIN[0].entry.id


@given(kept=st.integers(0, LENGTH - 1))
def test_a_checkpoint_shows_a_cut_tail(kept):
    checkpoint = sign_checkpoint(ORGANIZATION, CHAIN[-1].head, NOW, KEYS)
    assert verify(CHAIN, START, [checkpoint]).valid
    verification = verify(CHAIN[:kept], START, [checkpoint])
    assert verification.tail_missing
    assert not verification.valid


@given(position=positions)
def test_a_checkpoint_shows_a_rewritten_chain(position):
    checkpoint = sign_checkpoint(ORGANIZATION, CHAIN[-1].head, NOW, KEYS)
    before = CHAIN[position - 1].head if position else START
    rewritten = [append(before, entry(position + 1, actor=f"user:{UUID(int=999)}"))]
    for number in range(position + 2, LENGTH + 1):
        rewritten.append(append(rewritten[-1].head, entry(number)))
    touched = CHAIN[:position] + rewritten
    assert verify(touched, START).valid
    assert verify(touched, START, [checkpoint]).first_invalid == CHAIN[-1].entry.id


@given(dropped=st.integers(1, LENGTH - 1))
def test_verification_starts_at_a_checkpoint_after_old_entries_were_dropped(dropped):
    checkpoint = sign_checkpoint(ORGANIZATION, CHAIN[dropped - 1].head, NOW, KEYS)
    verification = verify(CHAIN[dropped:], checkpoint.head, [checkpoint])
    assert verification.valid
    assert verification.entries == LENGTH - dropped
    assert verify(CHAIN[dropped:], START).first_invalid == CHAIN[dropped].entry.id


def test_a_checkpoint_is_genuine_only_as_it_was_signed():
    checkpoint = sign_checkpoint(ORGANIZATION, CHAIN[-1].head, NOW, KEYS)
    assert checkpoint_is_genuine(checkpoint, KEYS)
    for change in (
        {"organization": UUID(int=9)},
        {"head": CHAIN[0].head},
        {"head": replace(CHAIN[-1].head, sequence=1)},
        {"time": NOW + timedelta(days=1)},
        {"signature": "1:" + "0" * 64},
    ):
        assert not checkpoint_is_genuine(replace(checkpoint, **change), KEYS)


def test_the_hash_does_not_depend_on_the_session_s_time_zone_or_on_jsonb():
    stored = entry(
        1,
        time=(NOW + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=5))),
        details={"tags": {"team": "photos"}, "monthly_cost": 12.50},
    )
    assert append(START, stored) == replace(CHAIN[0], entry=stored)


def test_details_that_are_not_json_are_never_appended():
    with pytest.raises(ValueError, match="NaN"):
        append(START, entry(1, details={"share": float("nan")}))


def test_an_owner_s_event_becomes_its_entry():
    event = AuditRecorded(
        id=UUID(int=1),
        time=NOW,
        organization=ORGANIZATION,
        actor=f"user:{UUID(int=7)}",
        correlation_id=UUID(int=2),
        aggregate_id=UUID(int=3),
        aggregate_version=1,
        action="resource.start",
        target_type="resource",
        target_name="web-1",
        details={"reason": "morning"},
    )
    made = AuditEntry.of(AuditRecorded.from_bytes(event.to_bytes()), ORGANIZATION)
    assert made == AuditEntry(
        id=UUID(int=1),
        time=NOW,
        organization=ORGANIZATION,
        actor=f"user:{UUID(int=7)}",
        action="resource.start",
        target_type="resource",
        target_id=UUID(int=3),
        target_name="web-1",
        details={"reason": "morning"},
        correlation_id=UUID(int=2),
    )


@given(
    position=positions,
    change=st.sampled_from([{"sequence": 99}, {"previous_hash": "0" * 64}, {"entry_hash": "0" * 64}]),
)
def test_a_changed_link_is_found_at_its_entry(position, change):
    touched = list(CHAIN)
    touched[position] = replace(touched[position], **change)
    assert verify(touched, START).first_invalid == touched[position].entry.id

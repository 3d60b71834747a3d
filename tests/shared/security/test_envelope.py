"""A sealed value opens in its own place, with its own key, and nowhere else."""

import base64
import json
import traceback
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.security.envelope import CannotDecrypt, InvalidKeyRing, KeyRing

OLD_KEY = bytes(range(32))
NEW_KEY = bytes(range(32, 64))
RING = KeyRing("old", {"old": OLD_KEY})
ROTATED = KeyRing("new", {"old": OLD_KEY, "new": NEW_KEY})
ORGANIZATION = UUID("01980000-0000-7000-8000-00000000000a")
RECORD = UUID("01990000-0000-7000-8000-00000000000b")
PLACE = {"organization": ORGANIZATION, "record": RECORD, "field": "credentials"}

places = st.fixed_dictionaries({"organization": st.uuids(), "record": st.uuids(), "field": st.text(max_size=30)})


def ring_text(**keys: str) -> str:
    return json.dumps({"primary": "old", "keys": keys})


@given(plaintext=st.binary(max_size=2000), place=places)
def test_what_is_sealed_opens_in_its_place(plaintext, place):
    assert RING.open_sealed(RING.seal(plaintext, **place), **place) == plaintext


@given(sealed_at=places, opened_at=places)
def test_a_sealed_value_opens_in_no_other_place(sealed_at, opened_at):
    assume(sealed_at != opened_at)
    sealed = RING.seal(b"secret", **sealed_at)
    with pytest.raises(CannotDecrypt):
        RING.open_sealed(sealed, **opened_at)


@pytest.mark.parametrize(
    "elsewhere",
    [{"organization": RECORD}, {"record": ORGANIZATION}, {"field": "credential"}, {"field": "credentials2"}],
)
def test_each_part_of_the_place_counts(elsewhere):
    sealed = RING.seal(b"secret", **PLACE)
    with pytest.raises(CannotDecrypt):
        RING.open_sealed(sealed, **{**PLACE, **elsewhere})


@given(position=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_one_changed_byte_anywhere_is_found(position, flip):
    sealed = bytearray(ROTATED.seal(b"secret", **PLACE))
    sealed[position % len(sealed)] ^= flip
    with pytest.raises(CannotDecrypt):
        ROTATED.open_sealed(bytes(sealed), **PLACE)


@given(length=st.integers(min_value=0, max_value=40))
def test_a_cut_value_is_refused(length):
    sealed = RING.seal(b"secret", **PLACE)
    assume(length < len(sealed))
    with pytest.raises(CannotDecrypt):
        RING.open_sealed(sealed[:length], **PLACE)


@given(noise=st.binary(max_size=200))
def test_noise_is_refused_and_never_crashes(noise):
    with pytest.raises(CannotDecrypt):
        RING.open_sealed(noise, **PLACE)


def test_two_seals_of_the_same_secret_differ():
    assert RING.seal(b"secret", **PLACE) != RING.seal(b"secret", **PLACE)


def test_a_seal_costs_a_constant_number_of_bytes_and_does_not_hold_the_plaintext():
    sealed = RING.seal(b"AKIAIOSFODNN7EXAMPLE", **PLACE)
    assert b"AKIA" not in sealed
    assert len(sealed) == 2 + len("old") + 12 + len("AKIAIOSFODNN7EXAMPLE") + 16


def test_after_rotation_the_old_key_opens_and_the_new_one_seals():
    sealed = RING.seal(b"secret", **PLACE)
    assert ROTATED.open_sealed(sealed, **PLACE) == b"secret"
    again = ROTATED.seal(b"secret", **PLACE)
    assert again[2:5] == b"new"
    with pytest.raises(CannotDecrypt):
        RING.open_sealed(again, **PLACE)


def test_a_key_that_only_shares_its_id_does_not_open():
    sealed = RING.seal(b"secret", **PLACE)
    with pytest.raises(CannotDecrypt):
        KeyRing("old", {"old": NEW_KEY}).open_sealed(sealed, **PLACE)


def test_the_ring_is_read_from_its_text():
    ring = KeyRing.parse(ring_text(old=base64.b64encode(OLD_KEY).decode()))
    assert ring.open_sealed(RING.seal(b"secret", **PLACE), **PLACE) == b"secret"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        '{"primary": "old"}',
        '{"primary": "old", "keys": []}',
        '{"primary": 1, "keys": {}}',
        '{"primary": "old", "keys": {"old": null}}',
        '{"primary": "old", "keys": {"old": "***"}}',
        '{"primary": "old", "keys": {"old": "é"}}',
        ring_text(other=base64.b64encode(OLD_KEY).decode()),
        ring_text(old=base64.b64encode(OLD_KEY[:16]).decode()),
        ring_text(**{"old": base64.b64encode(OLD_KEY).decode(), "k" * 65: base64.b64encode(OLD_KEY).decode()}),
        ring_text(old=base64.b64encode(OLD_KEY).decode(), ключ=base64.b64encode(OLD_KEY).decode()),
    ],
)
def test_an_unusable_ring_is_refused(text):
    with pytest.raises(InvalidKeyRing):
        KeyRing.parse(text)


def test_neither_repr_nor_an_error_shows_a_key():
    encoded = base64.b64encode(OLD_KEY).decode()
    shown = repr(RING) + str(RING) + f"{RING}"
    for damaged in (ring_text(old=encoded)[:-1], ring_text(old=encoded[:-8]), ring_text(old="!" + encoded)):
        try:
            KeyRing.parse(damaged)
        except InvalidKeyRing as error:
            shown += "".join(traceback.format_exception(error))
    assert encoded[:12] not in shown
    assert repr(OLD_KEY)[2:20] not in shown
    assert "****" in shown


def test_a_refusal_shows_neither_place_nor_cause():
    with pytest.raises(CannotDecrypt, match=r"^The sealed value cannot be opened$") as refusal:
        RING.open_sealed(RING.seal(b"secret", **PLACE), **{**PLACE, "field": "other"})
    assert refusal.value.__suppress_context__


def test_derived_keys_differ_by_purpose_and_by_master_key_and_are_none_of_them():
    tokens, audit = ROTATED.derived("tokens"), ROTATED.derived("audit")
    keys = [*tokens.values(), *audit.values(), OLD_KEY, NEW_KEY]
    assert len(set(keys)) == 6
    assert tokens == KeyRing("old", {"old": OLD_KEY, "new": NEW_KEY}).derived("tokens")

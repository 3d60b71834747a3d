"""Only the holder of a key signs, every key of the ring verifies, and a purpose cannot sign for another."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.gateway.domain.signatures import SigningKeys
from shared.security.envelope import KeyRing

RING = KeyRing("2", {"1": b"a" * 32, "2": b"b" * 32})
KEYS = SigningKeys.of(RING, "audit")


@given(message=st.binary(), other=st.binary())
def test_a_signature_is_for_its_message_only(message, other):
    assert KEYS.verifies(message, KEYS.sign(message))
    assume(message != other)
    assert not KEYS.verifies(other, KEYS.sign(message))


@given(forged=st.none() | st.text() | st.from_regex(r"[12]:[0-9a-f]{64}", fullmatch=True))
def test_nothing_else_verifies(forged):
    assert not KEYS.verifies(b"message", forged)


def test_the_primary_signs_and_the_old_key_still_verifies():
    old = SigningKeys("1", {"1": KEYS.keys["1"]})
    assert KEYS.sign(b"message").startswith("2:")
    assert KEYS.verifies(b"message", old.sign(b"message"))
    assert not old.verifies(b"message", KEYS.sign(b"message"))


def test_the_keys_of_one_purpose_do_not_verify_another():
    assert not SigningKeys.of(RING, "tokens").verifies(b"message", KEYS.sign(b"message"))


def test_short_keys_and_unknown_primaries_are_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKeys("1", {"1": b"short"})
    with pytest.raises(ValueError, match="primary"):
        SigningKeys("3", {"1": b"a" * 32})


def test_repr_shows_no_key():
    assert repr(SigningKeys("1", {"1": b"a" * 32})) == "SigningKeys(primary='1', keys=['1'], ****)"

"""A password is right only as it was chosen, and a stranger's attempt costs what a user's costs."""

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.domain.passwords import Passwords, ensure_strong_password
from shared.kit.errors import InvalidInput

QUICK = Passwords(memory_kib=8, passes=1, parallelism=1)
SALT = bytes(range(16))
GOOD = "correct horse battery"
typed = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


@settings(max_examples=30)
@given(password=typed)
def test_a_password_verifies_against_its_own_hash(password):
    assert QUICK.verify(password, QUICK.hash(password, SALT)).right


@pytest.mark.parametrize("attempt", ["", "Correct horse battery", GOOD + " ", "nobody has this password", "x" * 10_000])
def test_another_password_is_wrong(attempt):
    assert not QUICK.verify(attempt, QUICK.hash(GOOD, SALT)).right


@pytest.mark.parametrize("attempt", ["", GOOD, "nobody has this password", "\ud800", "\x00", "x" * 10_000])
def test_an_unknown_user_never_comes_in(attempt):
    assert not QUICK.verify(attempt, None).right


def test_an_unknown_user_costs_one_hash_of_the_same_parameters(monkeypatch):
    seen = []
    verify = type(QUICK._hasher).verify
    monkeypatch.setattr(
        type(QUICK._hasher),
        "verify",
        lambda self, stored, attempt: seen.append(stored) or verify(self, stored, attempt),
    )
    known = QUICK.hash(GOOD, SALT)
    for stored in (known, None):
        QUICK.verify("wrong password", stored)
    assert [extract_parameters(stored) for stored in seen] == [extract_parameters(known)] * 2


def test_the_same_letters_typed_otherwise_are_the_same_password():
    assert QUICK.verify("Pa\u0301sswort mit Akzent", QUICK.hash("P\u00e1sswort mit Akzent", SALT)).right


def test_a_hash_of_yesterday_s_parameters_is_right_and_asks_to_be_renewed():
    stronger = Passwords(memory_kib=16, passes=1, parallelism=1)
    verification = stronger.verify(GOOD, QUICK.hash(GOOD, SALT))
    assert verification.right
    assert verification.needs_rehash
    assert not QUICK.verify(GOOD, QUICK.hash(GOOD, SALT)).needs_rehash


@pytest.mark.parametrize("stored", ["", "plain text", "$argon2id$broken"])
def test_a_damaged_hash_lets_nobody_in(stored):
    assert not QUICK.verify(GOOD, stored).right


def test_the_default_is_the_second_recommendation_of_rfc_9106():
    parameters = extract_parameters(Passwords().hash(GOOD, SALT))
    assert parameters == RFC_9106_LOW_MEMORY


@pytest.mark.parametrize("password", [GOOD, "ünïcödé ist auch gut", "1234567890ab", "x" * 251 + "abcde"])
def test_long_and_varied_is_enough(password):
    ensure_strong_password(password, "mara@example.com")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 12"),
        ("x" * 257, "at most 256"),
        ("aaaaaaaabbbb", "5 different"),
        ("my name is Mara!", "e-mail"),
        ("tab\there is bad", "control"),
        ("half a character \ud800", "control"),
        ("\ufb03\ufb03", "at least 12"),
    ],
)
def test_a_poor_password_is_refused_with_its_reason(password, reason):
    with pytest.raises(InvalidInput) as refusal:
        ensure_strong_password(password, "mara@example.com")
    assert refusal.value.errors[0].pointer == "/password"
    assert reason in refusal.value.errors[0].detail


def test_a_salt_of_another_length_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        QUICK.hash(GOOD, b"short")

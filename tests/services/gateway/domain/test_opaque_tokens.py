"""A random token is found by its prefix, proven by its secret, and stored as neither."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.gateway.domain.opaque_tokens import RANDOM_BYTES, TokenKind, mint, parse
from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import Unauthenticated

KEYS = SigningKeys("1", {"1": b"p" * 32})
OTHER_KEYS = SigningKeys("1", {"1": b"q" * 32})
randomness = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)
kinds = st.sampled_from(TokenKind)


@given(kind=kinds, drawn=randomness)
def test_what_is_minted_parses_and_matches_its_digest(kind, drawn):
    token = mint(kind, drawn)
    assert re.fullmatch(rf"{kind}_[a-z2-7]{{12}}_[a-z2-7]{{52}}", token.text)
    assert parse(kind, token.text) == token
    assert token.matches(token.digest(KEYS), KEYS)


@given(first=randomness, second=randomness)
def test_different_randomness_makes_tokens_that_do_not_match(first, second):
    assume(first != second)
    one, other = mint(TokenKind.API_KEY, first), mint(TokenKind.API_KEY, second)
    assert one.text != other.text
    assert not one.matches(other.digest(KEYS), KEYS)


def test_the_whole_secret_counts():
    token = mint(TokenKind.API_KEY, bytes(RANDOM_BYTES))
    other = parse(TokenKind.API_KEY, token.text[:-1] + "b")
    assert other.prefix == token.prefix
    assert not other.matches(token.digest(KEYS), KEYS)


def test_a_digest_needs_the_pepper():
    token = mint(TokenKind.API_KEY, bytes(RANDOM_BYTES))
    assert not token.matches(token.digest(OTHER_KEYS), KEYS)
    assert not token.matches(None, KEYS)


def test_a_digest_outlives_the_rotation_of_the_pepper():
    token = mint(TokenKind.API_KEY, bytes(RANDOM_BYTES))
    rotated = SigningKeys("2", {"1": b"p" * 32, "2": b"r" * 32})
    assert token.matches(token.digest(KEYS), rotated)
    assert token.digest(rotated).startswith("2:")


@pytest.mark.parametrize("kind", TokenKind)
def test_one_kind_is_never_taken_for_another(kind):
    token = mint(kind, bytes(RANDOM_BYTES))
    for other in set(TokenKind) - {kind}:
        with pytest.raises(Unauthenticated):
            parse(other, token.text)


@given(text=st.text() | st.from_regex(r"cnp_[A-Za-z0-9_-]{0,80}", fullmatch=True))
def test_noise_is_refused(text):
    assume(not re.fullmatch(r"cnp_[a-z2-7]{12}_[a-z2-7]{52}", text))
    with pytest.raises(Unauthenticated) as refusal:
        parse(TokenKind.API_KEY, text)
    assert refusal.value.code == "invalid_token"


def test_a_trailing_newline_is_not_a_token():
    with pytest.raises(Unauthenticated):
        parse(TokenKind.API_KEY, mint(TokenKind.API_KEY, bytes(RANDOM_BYTES)).text + "\n")


def test_neither_repr_nor_digest_shows_the_secret():
    token = mint(TokenKind.API_KEY, bytes(range(RANDOM_BYTES)))
    secret = token.text.split("_")[2]
    assert secret not in repr(token) + token.digest(KEYS)


@pytest.mark.parametrize("length", [0, RANDOM_BYTES - 1, RANDOM_BYTES + 1])
def test_too_little_randomness_is_refused(length):
    with pytest.raises(ValueError, match="39 random bytes"):
        mint(TokenKind.API_KEY, bytes(length))

"""Our pairs of any text survive tags that are single words without case, long or short."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clouds.digitalocean.tags import TAGS, token_tag
from shared.clouds.libcloud.tags import WordTags, from_words, replaced_by
from shared.clouds.models import TOKEN_TAG

SHORT = WordTags("linode", shortest=3, longest=50)
WORDS = st.text("abcxyz-_019", min_size=1, max_size=12)
ANY = st.characters(exclude_categories=("Cs",))
KEYS = st.one_of(WORDS, st.text(ANY, min_size=1, max_size=128))
VALUES = st.one_of(st.just(""), WORDS, st.text(ANY, max_size=256))


@pytest.mark.parametrize("kind", [TAGS, SHORT], ids=["long", "short"])
@given(tags=st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_written_is_read_and_is_what_the_cloud_takes(kind, tags):
    words = kind.to_words(tags, "token:1", operation="x")
    assert all(re.fullmatch(r"[a-z0-9:_-]+", word) for word in words)
    assert all(kind.shortest <= len(word) <= kind.longest for word in words)
    assert from_words(reversed(words)) == {**tags, TOKEN_TAG: "token:1"}


@pytest.mark.parametrize("kind", [TAGS, SHORT], ids=["long", "short"])
@given(before=st.dictionaries(KEYS, VALUES, max_size=4), change=st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_a_change_takes_away_exactly_what_it_replaces(kind, before, change):
    words = [word for key, value in before.items() for word in kind.words_of(key, value)]
    new = [word for key, value in change.items() for word in kind.words_of(key, value)]
    gone = replaced_by(words, change, new)
    after = {word for word in words if word not in gone} | set(new)
    assert from_words(after) == {**before, **change}


@pytest.mark.parametrize("kind", [TAGS, SHORT], ids=["long", "short"])
def test_the_longest_pair_of_the_widest_letters_fits(kind):
    pair = {"\U0001d518" * 128: "\U0001d519" * 256}
    words = kind.to_words(pair, "t", operation="x")
    assert max(len(word) for word in words) <= kind.longest
    assert from_words(words) == {**pair, TOKEN_TAG: "t"}


@pytest.mark.parametrize(
    ("word", "pair"),
    [("web", {"web": ""}), ("env:prod", {"env": "prod"}), ("Env:Prod", {"Env": "Prod"}), ("a:b:c", {"a": "b:c"})],
)
def test_a_stranger_s_tag_reads_as_a_pair(word, pair):
    assert from_words([word]) == pair


def test_plain_words_stay_readable():
    assert TAGS.words_of("env", "production") == ["env:production"]
    assert TAGS.words_of("canary", "") == ["canary"]


def test_tokens_that_differ_in_case_have_different_tags():
    assert token_tag("Ab") != token_tag("aB")
    assert token_tag("Ab").lower() == token_tag("Ab")


def test_every_token_has_one_tag():
    assert len(token_tag("x" * 64)) <= 255


def test_a_pair_of_which_a_part_is_missing_is_left_out():
    words = SHORT.words_of("Name", "ü" * 200)
    assert len(words) > 1
    assert from_words([*words[:-1], "env:prod"]) == {"env": "prod"}


@pytest.mark.parametrize("text", ["aaaaaaaa", "a", "gfrgg", "gezdgorb"])
def test_what_only_looks_like_ours_harms_nothing(text):
    from_words([f"canopy:{'0' * 8}:0-1:{text}", f"canopy:{'1' * 8}:7-9:{text}"])

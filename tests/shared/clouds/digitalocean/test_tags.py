"""Our pairs of any text survive DigitalOcean's tags, which are single words without case."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clouds.digitalocean import tags as droplet_tags
from shared.clouds.models import TOKEN_TAG

ALLOWED = re.compile(r"[a-z0-9:_-]{1,255}")
WORDS = st.text("abcxyz-_019", min_size=1, max_size=12)
TEXTS = st.one_of(WORDS, st.text(min_size=1, max_size=128).filter(lambda text: not re.search("[\ud800-\udfff]", text)))
VALUES = st.one_of(
    st.just(""), WORDS, st.text(max_size=256).filter(lambda text: not re.search("[\ud800-\udfff]", text))
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_written_is_read_and_is_what_digitalocean_takes(tags):
    names = droplet_tags.to_digitalocean(tags, "token:1", operation="x")
    assert all(ALLOWED.fullmatch(name) for name in names)
    assert droplet_tags.from_digitalocean(reversed(names)) == {**tags, TOKEN_TAG: "token:1"}


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3))
def test_a_change_takes_away_exactly_what_it_replaces(before, change):
    names = [name for key, value in before.items() for name in droplet_tags.names_of(key, value)]
    gone = droplet_tags.replaced_by(names, change)
    new = [name for key, value in change.items() for name in droplet_tags.names_of(key, value)]
    after = {name for name in names if name not in gone} | set(new)
    assert droplet_tags.from_digitalocean(after) == {**before, **change}


@pytest.mark.parametrize(
    ("name", "pair"),
    [("web", {"web": ""}), ("env:prod", {"env": "prod"}), ("Env:Prod", {"Env": "Prod"}), ("a:b:c", {"a": "b:c"})],
)
def test_a_stranger_s_tag_reads_as_a_pair(name, pair):
    assert droplet_tags.from_digitalocean([name]) == pair


def test_plain_words_stay_readable():
    assert droplet_tags.names_of("env", "production") == ["env:production"]
    assert droplet_tags.names_of("canary", "") == ["canary"]


def test_tokens_that_differ_in_case_have_different_tags():
    assert droplet_tags.token_tag("Ab") != droplet_tags.token_tag("aB")
    assert droplet_tags.token_tag("Ab").lower() == droplet_tags.token_tag("Ab")


def test_a_pair_of_which_a_part_is_missing_is_left_out():
    names = droplet_tags.names_of("Name", "ü" * 200)
    assert len(names) > 1
    assert droplet_tags.from_digitalocean([*names[:-1], "env:prod"]) == {"env": "prod"}


def test_what_only_looks_like_ours_is_left_out():
    assert droplet_tags.from_digitalocean([f"canopy:{'0' * 16}:0-1:aaaaaaaa", f"canopy:{'1' * 16}:0-1:a"]) == {}

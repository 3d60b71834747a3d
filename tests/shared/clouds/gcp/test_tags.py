"""Tags come back from Google word by word, and what fits is a label."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clouds.errors import InvalidRequest
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.models import TOKEN_TAG

KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
VALUE = re.compile(r"[a-z0-9_-]{0,63}")
ANY_TAGS = st.dictionaries(st.text(min_size=1, max_size=128), st.text(max_size=256), max_size=50)


@given(ANY_TAGS)
def test_any_tags_survive_a_machines_metadata(tags):
    assert gcp_tags.from_text(gcp_tags.to_text(tags)) == tags
    assert gcp_tags.merged(tags, gcp_tags.to_labels(tags)) == tags


@given(ANY_TAGS)
def test_any_tags_give_labels_that_google_takes(tags):
    labels = gcp_tags.to_labels({**tags, TOKEN_TAG: "one:2"})
    assert len(labels) <= 64
    assert all(KEY.fullmatch(key) and VALUE.fullmatch(value) for key, value in labels.items())
    assert labels["canopy-token"] == gcp_tags.digest("one:2")


def test_cost_reports_find_what_they_group_by():
    tags = {"zzz": "1", "Project": "Garten-Fest", "Name": "Hochzeit Müller 結婚式", "Environment": "production"}
    assert gcp_tags.to_labels(tags) == {
        "name": "hochzeit-muller",
        "environment": "production",
        "project": "garten-fest",
        "zzz": "1",
    }


def test_of_two_keys_that_become_one_label_the_first_stays_and_both_tags_are_kept():
    tags = {"Cost Center": "a", "cost-center": "b"}
    assert gcp_tags.to_labels(tags) == {"cost-center": "a"}
    assert gcp_tags.merged(tags, gcp_tags.to_labels(tags)) == tags


def test_labels_that_somebody_else_gave_are_tags_too():
    tags = {"Name": "Album", TOKEN_TAG: "t"}
    labels = {**gcp_tags.to_labels(tags), "goog-ops-agent": "v2"}
    assert gcp_tags.merged(tags, labels) == {**tags, "goog-ops-agent": "v2"}
    assert gcp_tags.merged({}, {"team": "photos"}) == {"team": "photos"}


def test_a_description_holds_tags_words_and_facts():
    tags = {"Name": "結婚式", TOKEN_TAG: "t:1"}
    text = gcp_tags.to_description(tags, "nightly", operation="x", root_device_name="sda")
    assert gcp_tags.from_description(text, gcp_tags.to_labels(tags)) == tags
    assert gcp_tags.fact_of(text, "root_device_name") == "sda"
    assert '"description":"nightly"' in text


@pytest.mark.parametrize("text", ["", "a server", "{broken", "[]", '{"canopy-tags": 7}', '{"other": {}}'])
def test_what_somebody_else_wrote_is_no_tag(text):
    assert gcp_tags.from_description(text, {"team": "photos"}) == {"team": "photos"}
    assert gcp_tags.fact_of(text, "root_device_name") is None
    assert all(isinstance(value, str) for value in gcp_tags.from_text(text).values())


def test_tags_too_long_for_a_description_are_refused_by_their_field():
    with pytest.raises(InvalidRequest) as caught:
        gcp_tags.to_description({f"key-{number}": "v" * 256 for number in range(10)}, operation="snapshots.insert")
    assert caught.value.field == "tags"


def test_a_name_is_the_tokens_alone_and_google_takes_it():
    names = {gcp_tags.name_of("A:b/1"), gcp_tags.name_of("a:b/1"), gcp_tags.name_of("A:b/1", "us-east1")}
    assert len(names) == 3
    assert all(re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)

"""Tags of what has only labels come back word by word, and what others wrote there stays."""

import re

import pytest

from shared.clouds.errors import InvalidRequest
from shared.clouds.gcp import label_tags

EXACT = {"Name": "Hochzeit Müller 結婚式", "canopy:token": "t:1", "Environment": "production"}


def test_labels_are_such_as_google_takes_and_hold_every_word():
    labels = label_tags.to_labels(EXACT, operation="x")
    for key, value in labels.items():
        assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
        assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)
    assert (labels["environment"], labels["name"]) == ("production", "hochzeit-muller")
    assert label_tags.from_labels(labels) == EXACT


def test_a_merge_keeps_others_and_drops_what_is_not_needed_any_more():
    labels = {**label_tags.to_labels({"Name": "x" * 200, "a": "b"}, operation="x"), "theirs": "stays"}
    change = label_tags.changed(labels, {"Name": "short"}, operation="x")
    assert None in change.values()
    after = {key: value for key, value in {**labels, **change}.items() if value is not None}
    assert label_tags.from_labels(after) == {"Name": "short", "a": "b", "theirs": "stays"}


def test_foreign_labels_are_tags_and_no_encoding_is_no_error():
    assert label_tags.from_labels({"team": "photos", "canopy-tags-00": "not-base-32"}) == {"team": "photos"}
    assert label_tags.from_labels(None) == {}


def test_many_tags_take_room_from_the_readable_ones_and_too_many_are_refused():
    many = {f"key-{number}": "v" * 20 for number in range(40)}
    labels = label_tags.to_labels(many, operation="x")
    assert len(labels) <= 50
    assert label_tags.from_labels(labels) == many
    with pytest.raises(InvalidRequest) as caught:
        label_tags.to_labels({f"key-{number}": "v" * 200 for number in range(40)}, operation="x")
    assert caught.value.field == "tags"

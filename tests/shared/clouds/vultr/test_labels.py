"""Where tags have to share a text with a name, both are read again, whoever wrote it."""

import pytest

from shared.clouds.vultr.labels import label_of, relabelled, tags_of, text_of

NAME = "canopy-0123456789abcdef01234567"
ROWS = [
    ("", "", {}),
    (None, "", {}),
    ("my network", "my network", {}),
    ("curly {brackets}", "curly {brackets}", {}),
    ('my network {"team":"photos"}', "my network", {"team": "photos"}),
    ('{"team":"photos"}', "", {"team": "photos"}),
]


@pytest.mark.parametrize(("label", "text", "tags"), ROWS)
def test_a_label_of_anybody_is_read_and_takes_tags(label, text, tags):
    assert (text_of(label), tags_of(label)) == (text, tags)
    tagged = relabelled(label, {"Name": "Fotos {1} 結婚式"}, operation="x.update")
    assert (text_of(tagged), tags_of(tagged)) == (text, {"Name": "Fotos {1} 結婚式", **tags})


def test_a_label_of_ours_says_its_name_and_its_tags():
    label = label_of(NAME, {"Name": 'a {"b"} c'}, "token", operation="x.create")
    assert (text_of(label), tags_of(label)) == (NAME, {"Name": 'a {"b"} c', "canopy:token": "token"})

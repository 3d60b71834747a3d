"""One value has one text, whatever it went through."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.canonical_json import canonical_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(value=values)
def test_the_text_is_json_of_the_same_value(value):
    assert json.loads(canonical_json(value)) == value


@given(value=values)
def test_the_text_survives_a_round_trip(value):
    assert canonical_json(json.loads(json.dumps(value))) == canonical_json(value)


@given(first=values, second=values)
def test_different_values_have_different_texts(first, second):
    if canonical_json(first) == canonical_json(second):
        assert first == second


@given(value=st.dictionaries(texts, values))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_the_text_itself():
    value = {"b": [1, 1.0, 1.5, True, None], "a": "é\n", "\U0001f600": -0.0, "\ufb33": 1e300}
    assert canonical_json(value).decode() == '{"a":"é\\n","b":[1,1,1.5,true,null],"\U0001f600":0,"\ufb33":1e+300}'


def test_a_large_number_is_the_same_as_an_integer_and_as_a_double():
    assert canonical_json(15 * 10**299) == canonical_json(1.5e300)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**400, b"bytes", {1, 2}, {1: 2}, object(), "\ud800", {"\ud800": 1}]
)
def test_what_is_not_json_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        canonical_json({"nested": [value]})

"""What a desired configuration changes, and how."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provisioner.domain.changes import Change, base_of, check_no_replacement, compare
from shared.clouds.models import CHANGE, NEEDS_STOP
from shared.kit.errors import InvalidInput

SCHEMA: dict[str, Any] = {"properties": {"instance_type": {CHANGE: NEEDS_STOP}, "image": {}, "monitoring": {}}}
BEFORE = {"instance_type": "t3.micro", "image": "ami-1", "monitoring": "basic"}

values = st.dictionaries(st.sampled_from(sorted(BEFORE)), st.sampled_from(["t3.micro", "ami-1", "basic", "other"]))


def test_each_difference_stands_in_its_list() -> None:
    after = {"instance_type": "t3.small", "image": "ami-2", "monitoring": "basic"}
    found = compare(SCHEMA, BEFORE, after, {"project": ("a", "b"), "environment": ("x", "x")})
    assert found.in_place == (Change("/project", "a", "b"),)
    assert found.needs_stop == (Change("/configuration/instance_type", "t3.micro", "t3.small"),)
    assert found.replace == (Change("/configuration/image", "ami-1", "ami-2"),)
    with pytest.raises(InvalidInput) as refused:
        check_no_replacement(found)
    assert refused.value.code == "needs_replacement"
    assert [each.pointer for each in refused.value.errors] == ["/configuration/image"]


@given(values)
def test_what_is_in_no_list_is_as_it_was(after: dict[str, str]) -> None:
    found = compare(SCHEMA, BEFORE, after, {})
    listed = {each.field.rpartition("/")[2]: each.after for each in (*found.needs_stop, *found.replace)}
    assert {**BEFORE, **listed} == {**BEFORE, **after}
    assert all(BEFORE[name] != value for name, value in listed.items())


def test_facts_that_the_schema_does_not_know_are_left_out() -> None:
    assert base_of(SCHEMA, {**BEFORE, "found_by": "a sync"}) == BEFORE

"""Which size is chosen, which change is allowed, what it does: over the real catalogue and over any other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provisioner.domain.scaling import (
    CONFIGURATION_CHANGE,
    SCALE_DOWN,
    SCALE_UP,
    check_type,
    cost_impact,
    direction,
    hourly_cost,
    next_type,
    performance_impact,
)
from shared.clouds.models import MachineType
from shared.clouds.registry import machine_types_of
from shared.kit.errors import Conflict, InvalidInput

AWS = machine_types_of("aws")

families = st.sampled_from(["a", "b"])
sizes = st.builds(
    MachineType,
    name=st.just(""),
    family=families,
    vcpu=st.integers(1, 8),
    memory_gib=st.sampled_from([0.5, 1.0, 2.0, 4.0, 8.0]),
    architecture=st.sampled_from(["x86_64", "arm64"]),
    bare_metal=st.booleans(),
)


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, MachineType]:
    drawn = draw(st.lists(sizes, min_size=1, max_size=12))
    named = {f"{each.family}.{number}": each for number, each in enumerate(drawn)}
    return {
        name: MachineType(name, each.family, each.vcpu, each.memory_gib, each.architecture, each.bare_metal)
        for name, each in named.items()
    }


def is_larger(one: MachineType, other: MachineType) -> bool:
    more = (one.vcpu > other.vcpu, one.memory_gib > other.memory_gib)
    return any(more) and one.vcpu >= other.vcpu and one.memory_gib >= other.memory_gib


def kind(each: MachineType) -> tuple[str, str, bool]:
    return each.family, each.architecture, each.bare_metal


@pytest.mark.parametrize(
    ("current", "action", "expected"),
    [
        ("t3.micro", SCALE_UP, "t3.small"),
        ("t3.micro", SCALE_DOWN, "t3.nano"),
        ("t3.large", SCALE_UP, "t3.xlarge"),
        ("m5.xlarge", SCALE_DOWN, "m5.large"),
        ("m7g.medium", SCALE_UP, "m7g.large"),
        ("m5.16xlarge", SCALE_UP, "m5.24xlarge"),
    ],
)
def test_the_next_size_of_the_family_is_chosen(current: str, action: str, expected: str) -> None:
    assert next_type(AWS, current, action) == expected


def test_a_family_has_ends_and_bare_metal_is_none_of_its_sizes() -> None:
    with pytest.raises(Conflict, match="largest") as largest:
        next_type(AWS, "m5.24xlarge", SCALE_UP)
    assert largest.value.code == "no_larger_size"
    with pytest.raises(Conflict, match="smallest") as smallest:
        next_type(AWS, "t3.nano", SCALE_DOWN)
    assert smallest.value.code == "no_smaller_size"


def test_an_unknown_size_has_no_next_one_and_the_field_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        next_type(AWS, "x9.none", SCALE_UP)
    assert [each.pointer for each in refused.value.errors] == ["/instance_type"]


@given(catalogues(), st.data())
def test_the_chosen_size_is_the_nearest_in_its_direction(types: dict[str, MachineType], data: st.DataObject) -> None:
    current = types[data.draw(st.sampled_from(sorted(types)))]
    alike = [each for each in types.values() if kind(each) == kind(current)]
    for action, further in ((SCALE_UP, is_larger), (SCALE_DOWN, lambda one, other: is_larger(other, one))):
        candidates = [each for each in alike if further(each, current)]
        if not candidates:
            with pytest.raises(Conflict):
                next_type(types, current.name, action)
            continue
        chosen = types[next_type(types, current.name, action)]
        assert chosen in candidates
        assert not any(further(chosen, each) for each in candidates if each != chosen)
        check_type(types, current.name, chosen.name, action)
        assert direction(types, current.name, chosen.name) == action


@given(catalogues(), st.data())
def test_up_and_down_again_never_ends_larger(types: dict[str, MachineType], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from(sorted(types)))
    try:
        back = next_type(types, next_type(types, current, SCALE_UP), SCALE_DOWN)
    except Conflict:
        return
    assert not is_larger(types[back], types[next_type(types, current, SCALE_UP)])
    assert kind(types[back]) == kind(types[current])


def test_a_type_must_fit_the_machine_and_go_the_way_that_was_said() -> None:
    check_type(AWS, "t3.micro", "m5.large", SCALE_UP)
    check_type(AWS, "t3.micro", "x9.unknown", SCALE_UP)
    for wanted, action, said in (
        ("t4g.small", SCALE_UP, "arm64"),
        ("t3.nano", SCALE_UP, "not larger"),
        ("t3.small", SCALE_DOWN, "not smaller"),
    ):
        with pytest.raises(InvalidInput, match=said):
            check_type(AWS, "t3.micro", wanted, action)
    with pytest.raises(Conflict) as same:
        check_type(AWS, "t3.micro", "t3.micro", CONFIGURATION_CHANGE)
    assert same.value.code == "nothing_to_change"


def test_another_family_is_a_change_of_configuration() -> None:
    assert direction(AWS, "t3.micro", "m5.large") == CONFIGURATION_CHANGE
    assert direction(AWS, "t3.micro", "x9.unknown") == CONFIGURATION_CHANGE


def test_what_is_not_known_has_no_impact() -> None:
    assert performance_impact(AWS, "t3.micro", "t3.medium") == {
        "vcpu": {"before": 2, "after": 2},
        "memory_gib": {"before": 1.0, "after": 4.0},
    }
    assert performance_impact(AWS, "t3.micro", "x9.unknown") is None
    tracking = {"hourly": 0.0104, "included": ["t3.micro"], "currency": "USD"}
    assert hourly_cost(tracking, "t3.micro") == 0.0104
    assert hourly_cost(tracking, "t3.small") is None
    assert hourly_cost({}, "t3.micro") is None
    assert hourly_cost({"hourly": None, "included": ["t3.micro"]}, "t3.micro") is None
    assert cost_impact(0.0104, None, "USD") is None
    assert cost_impact(0.0104, 0.0208, "USD") == {
        "hourly_before": 0.0104, "hourly_after": 0.0208, "hourly_change": 0.0104, "currency": "USD",
    }  # fmt: skip

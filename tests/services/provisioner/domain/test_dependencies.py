"""A walk over a graph finds what a search of the whole graph finds, cycles or not."""

from hypothesis import example, given
from hypothesis import strategies as st

from services.provisioner.domain.dependencies import BOTH, DEPENDENCIES, DEPENDENTS, Link, Walk, id_of, key_of

keys = st.sampled_from([f"k{number}" for number in range(8)])
graphs = st.sets(st.builds(Link, keys, keys, st.sampled_from(["disk", "network"]), st.booleans()), max_size=20)
DETOUR = {
    Link("k0", "k2", "disk", hard=False),
    Link("k0", "k3", "disk", hard=True),
    Link("k2", "k1", "disk", hard=True),
    Link("k3", "k2", "disk", hard=True),
    Link("k5", "k0", "network", hard=True),
}
"""k0 is two steps from k1, and three through hard edges only: whether k5 was hit hung on the order of the links."""

directions = st.sampled_from([DEPENDENCIES, DEPENDENTS, BOTH])


def walked(graph: set[Link], root: str, direction: str, depth: int, nodes_max: int = 1000) -> tuple[Walk, int]:
    """The walk at its end, and how often it asked."""
    walk, steps = Walk(root, direction, depth, nodes_max), 0
    while not walk.is_done:
        down, up = set(walk.down_frontier), set(walk.up_frontier)
        walk.advance([link for link in graph if link.source in down], [link for link in graph if link.target in up])
        steps += 1
    return walk, steps


def reached(pairs: set[tuple[str, str]], root: str, depth: int) -> dict[str, int]:
    """Distances by repeated search over all pairs (near, far)."""
    found = {root: 0}
    for step in range(1, depth + 1):
        for near, far in pairs:
            if found.get(near) == step - 1 and far not in found:
                found[far] = step
    return found


@example(DETOUR, "k1", DEPENDENTS, 3)
@given(graphs, keys, directions, st.integers(1, 6))
def test_a_walk_finds_all_within_its_depth_and_nothing_else(
    graph: set[Link], root: str, direction: str, depth: int
) -> None:
    walk, steps = walked(graph, root, direction, depth)
    down = reached({(link.source, link.target) for link in graph}, root, depth)
    up = reached({(link.target, link.source) for link in graph}, root, depth)
    expected = {**(up if direction != DEPENDENCIES else {}), **(down if direction == DEPENDENCIES else {})}
    if direction == BOTH:
        expected = {key: min(down.get(key, 99), up.get(key, 99)) for key in {*down, *up}}
    assert walk.depths == expected
    hard = reached({(link.target, link.source) for link in graph if link.hard}, root, depth)
    assert walk.hit == hard.keys() - {root}
    assert steps <= depth + 1
    assert {end for link in walk.links for end in (link.source, link.target)} <= walk.depths.keys()


@given(graphs, keys, directions)
def test_only_what_is_left_out_makes_it_truncated(graph: set[Link], root: str, direction: str) -> None:
    assert not walked(graph, root, direction, 10)[0].truncated
    walk = walked(graph, root, direction, 1)[0]
    whole = walked(graph, root, direction, 10)[0]
    assert walk.truncated is ((walk.depths.keys(), walk.hit) != (whole.depths.keys(), whole.hit))


def test_a_hub_of_thousands_is_cut() -> None:
    graph = {Link(f"m{number}", "network", "network", hard=True) for number in range(50)}
    walk, _ = walked(graph, "network", DEPENDENTS, 3, nodes_max=10)
    assert (len(walk.depths), walk.truncated) == (10, True)


def test_a_number_is_a_machine_or_a_volume() -> None:
    assert key_of({"resource_type": "compute", "resource_subtype": "linode", "resource_id": "7"}) == "machine:7"
    assert key_of({"resource_type": "storage", "resource_subtype": "volume", "resource_id": "7"}) == "volume:7"
    assert id_of("volume:a:b") == "a:b"

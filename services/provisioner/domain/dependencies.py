"""How far does a thing's loss reach, and what does it stand on? A walk over the edges, one step at a time.

The walk asks for the edges of its frontier and is given them: where they are kept is not its affair, and a graph of any
size costs as many questions as steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.provisioner.domain.resources import COMPUTE

DEPENDENCIES, DEPENDENTS, BOTH = "dependencies", "dependents", "both"
NODES_MAX = 1000


MACHINE = "machine"
_ADDRESS = "address:"
_STORED = frozenset({"volume", "snapshot", "machine_image"})


def key_of(row: Mapping[str, Any]) -> str:
    """What names a thing within an account: its kind and the provider's id (a number may be a machine and a volume).

    Kinds are the same everywhere: `machine`, `volume`, `snapshot`, `machine_image`, else the resource type.
    """
    subtype, resource_type = row["resource_subtype"], row["resource_type"]
    kind = MACHINE if resource_type == COMPUTE else subtype if subtype in _STORED else resource_type
    return f"{kind}:{row['resource_id']}"


def id_of(key: str) -> str:
    """The provider's id of a key."""
    return key.partition(":")[2]


def is_address(key: str) -> bool:
    """Whether a key names a thing by an address only: what a DNS record or a CDN's origin leads to."""
    return key.startswith(_ADDRESS)


def addresses_of(row: Mapping[str, Any]) -> set[str]:
    """The keys by which a thing is named when only its address is known: a host's name or an IP address."""
    known = (row.get("address"), row.get("public_ip"), row.get("private_ip"))
    return {f"{_ADDRESS}{each.lower()}" for each in known if each}


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """`source` stands on `target`: keys of the two things."""

    source: str
    target: str
    relation: str
    hard: bool


class Walk:
    """Breadth first from `root`, up to `depth` steps and `NODES_MAX` things. Cycles and doubled edges do no harm.

    Downwards it follows dependencies, upwards dependents; `both` goes down from the root and up from it, and never
    turns: what else stands on a dependency of the root is not its affair. After the last step it looks one further, to
    know whether it left something out.
    """

    def __init__(self, root: str, direction: str, depth: int, nodes_max: int = NODES_MAX) -> None:
        self.root = root
        self.links: set[Link] = set()
        self.truncated = False
        self._depth = depth
        self._nodes_max = nodes_max
        self._down: dict[str, int] = {root: 0} if direction in {DEPENDENCIES, BOTH} else {}
        self._up: dict[str, int] = {root: 0} if direction in {DEPENDENTS, BOTH} else {}
        self._hit: dict[str, int] = {root: 0}
        self._step = 0

    @property
    def down_frontier(self) -> list[str]:
        """The things whose dependencies are asked for next; empty at the end."""
        return self._frontier(self._down)

    @property
    def up_frontier(self) -> list[str]:
        """The things whose dependents are asked for next. Also without going up: for what the root's loss hits."""
        return sorted({*self._frontier(self._hit), *self._frontier(self._up)})

    @property
    def is_done(self) -> bool:
        return not self.down_frontier and not self.up_frontier

    @property
    def depths(self) -> dict[str, int]:
        """Every thing of the graph with its distance from the root."""
        return {**self._up, **{key: depth for key, depth in self._down.items() if depth <= self._up.get(key, depth)}}

    @property
    def hit(self) -> set[str]:
        """What fails with the root: all that hang on it through hard edges."""
        return self._hit.keys() - {self.root}

    def advance(self, downwards: Iterable[Link], upwards: Iterable[Link]) -> None:
        """Take one step: the links whose sources are the down frontier, and those whose targets are the up frontier."""
        downwards, upwards = list(downwards), list(upwards)
        self._step += 1
        for link in downwards:
            if self._reach(self._down, link.source, link.target):
                self.links.add(link)
        for link in upwards:
            if self._reach(self._up, link.target, link.source):
                self.links.add(link)
            if link.hard:
                self._reach(self._hit, link.target, link.source)

    def _frontier(self, reached: dict[str, int]) -> list[str]:
        if self._step > self._depth:
            return []
        return [key for key, depth in reached.items() if depth == self._step]

    def _reach(self, reached: dict[str, int], near: str, far: str) -> bool:
        """Whether the far end of a link is within the graph.

        Only things of the last step take one: the other way may have asked for it, and `near` be one of this step.
        """
        if reached.get(near) != self._step - 1:
            return False
        if far not in reached:
            if len(reached) >= self._nodes_max or self._step > self._depth:
                self.truncated = True
                return False
            reached[far] = self._step
        return True

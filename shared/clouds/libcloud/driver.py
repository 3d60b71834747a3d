"""What does each of our libcloud drivers do that libcloud's own does not?"""

from __future__ import annotations

from typing import Any, Self

from libcloud.compute.base import Node, NodeImage, NodeLocation, NodeSize
from libcloud.compute.types import NodeState

DOCUMENT = "document"
"""Where a node keeps what the provider answered of it: libcloud leaves things out."""


class WholeNodes:
    """Stands before a libcloud driver among the base classes: nodes with whole answers, things named by their ids."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Libcloud's pick a version by their arguments, and DigitalOcean's hands them to `object.__new__`."""
        return object.__new__(cls)

    def node(self, identifier: str) -> Node:
        """What libcloud's actions want, without asking for it: they use the id only."""
        driver: Any = self
        return Node(identifier, "", NodeState.UNKNOWN, [], [], driver)

    def size(self, identifier: str) -> NodeSize:
        driver: Any = self
        return NodeSize(identifier, identifier, 0, 0, 0, 0.0, driver)

    def image(self, identifier: str) -> NodeImage:
        driver: Any = self
        return NodeImage(identifier, identifier, driver)

    def location(self, identifier: str) -> NodeLocation:
        driver: Any = self
        return NodeLocation(identifier, identifier, "", driver)

    def _to_node(self, data: dict[str, Any]) -> Node:
        base: Any = super()
        node: Node = base._to_node(data)  # noqa: SLF001 - the driver's own parser
        node.extra[DOCUMENT] = data
        return node

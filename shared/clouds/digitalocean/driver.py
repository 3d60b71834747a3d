"""Which driver of libcloud talks to DigitalOcean, and what does it tell more than libcloud's own?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from libcloud.common.digitalocean import DigitalOcean_v2_Connection
from libcloud.compute.base import Node, NodeImage, NodeLocation, NodeSize
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver
from libcloud.compute.types import NodeState

from shared.clouds.libcloud.connection import connection_class
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings

DOCUMENT = "document"
"""Where a node keeps what DigitalOcean answered of it: libcloud leaves out region, VPC and volumes."""


class _Connection(DigitalOcean_v2_Connection):
    def add_default_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Libcloud asks every path for 200 things a page, also when the caller said another number."""
        return params


class DropletDriver(DigitalOcean_v2_NodeDriver):
    """libcloud's own with whole answers, the create's parameters that it leaves out, and things named by their ids."""

    EX_CREATE_ATTRIBUTES = [*DigitalOcean_v2_NodeDriver.EX_CREATE_ATTRIBUTES, "monitoring", "vpc_uuid"]  # noqa: RUF012

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Libcloud's picks a version by its arguments, and hands them to `object.__new__`, which takes none."""
        return object.__new__(cls)

    def node(self, droplet_id: str) -> Node:
        """What libcloud's actions want, without asking for it: they use the id only."""
        return Node(droplet_id, "", NodeState.UNKNOWN, [], [], self)

    def size(self, slug: str) -> NodeSize:
        return NodeSize(slug, slug, 0, 0, 0, 0.0, self)

    def image(self, slug_or_number: str) -> NodeImage:
        identifier: Any = int(slug_or_number) if slug_or_number.isdecimal() else slug_or_number
        return NodeImage(identifier, slug_or_number, self)

    def location(self, slug: str) -> NodeLocation:
        return NodeLocation(slug, slug, "", self)

    def act(self, droplet_id: str, action: Mapping[str, Any]) -> None:
        """An action that libcloud has no method for."""
        self.connection.request(f"/v2/droplets/{droplet_id}/actions", data=json.dumps(action), method="POST")

    def _to_node(self, data: dict[str, Any]) -> Node:
        node: Node = super()._to_node(data)  # type: ignore[no-untyped-call]
        node.extra[DOCUMENT] = data
        return node


def driver_maker(credentials: Credentials, settings: CloudSettings) -> Callable[[], DropletDriver]:
    """Makes a driver for one call at a time."""
    endpoint = settings.digitalocean_endpoint_url
    connection = connection_class(_Connection, None if endpoint is None else str(endpoint), settings)

    class Driver(DropletDriver):
        connectionCls = connection  # noqa: N815 - libcloud's name

    return lambda: Driver(credentials["token"])

"""Which driver of libcloud talks to Linode, and what does it tell more than libcloud's own?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from libcloud.common.linode import LinodeConnectionV4
from libcloud.compute.base import Node
from libcloud.compute.drivers.linode import LinodeNodeDriverV4

from shared.clouds.libcloud.connection import connection_class
from shared.clouds.libcloud.driver import WholeNodes
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings


class _Connection(LinodeConnectionV4):
    def add_default_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Libcloud asks every path for 25 things a page, also when the caller said another number."""
        return params


class InstanceDriver(WholeNodes, LinodeNodeDriverV4):
    """libcloud's own, with a create that takes a firewall, which libcloud's leaves out."""

    def create_instance(self, attributes: Mapping[str, Any]) -> Node:
        answer = self.connection.request("/v4/linode/instances", data=json.dumps(attributes), method="POST")
        return self._to_node(answer.object)


def driver_maker(credentials: Credentials, settings: CloudSettings) -> Callable[[], InstanceDriver]:
    """Makes a driver for one call at a time."""
    endpoint = settings.linode_endpoint_url
    connection = connection_class(_Connection, None if endpoint is None else str(endpoint), settings)

    class Driver(InstanceDriver):
        connectionCls = connection  # noqa: N815 - libcloud's name

    return lambda: Driver(credentials["token"])
